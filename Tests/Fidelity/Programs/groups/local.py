"""Unix sockets among processes of the container. What comes from outside is in outside.py, what keeps a
container awake in awake.py."""

import array
import functools
import os
import socket
import struct

from kind import Kind

TYPES = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}
# Those that a socketpair has, and that are not what the kernel reckons itself.
OPTIONS = ["SO_SNDBUF", "SO_RCVBUF", "SO_PASSCRED", "SO_RCVTIMEO", "SO_SNDTIMEO", "SO_PRIORITY", "SO_OOBINLINE"]


class Pair(Kind):
    def __init__(self, way, volume):
        self.type, self.holds = TYPES[way], f"a pair of {way} sockets with unread data"
        super().__init__(volume)

    def take(self):
        self.near, self.far = socket.socketpair(socket.AF_UNIX, self.type)
        for text in (b"one ", b"two ", b"three "):
            self.far.send(text)

    def look(self, n):
        if self.type == socket.SOCK_STREAM:
            yield "data", b"one two three ", self.near.recv(1000)
            self.far.send(b"one two three ")
        else:
            yield f"message {n}", (b"one ", b"two ", b"three ")[n - 1], self.near.recv(1000)


class Credentials(Kind):
    """The kernel knows the peer as the process that it was."""

    holds = "the pid of a peer (SO_PEERCRED)"

    def take(self):
        self.near, self.far = socket.socketpair()

    def look(self, n):
        seen = struct.unpack("3i", self.near.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        yield "pid, user and group", (os.getpid(), os.getuid(), os.getgid()), seen


class HalfClosed(Kind):
    holds = "a pair of stream sockets, half closed"

    def take(self):
        self.near, self.far = socket.socketpair()
        self.far.send(b"last")
        self.far.shutdown(socket.SHUT_WR)

    def look(self, n):
        yield "data", b"last" if n == 1 else b"", self.near.recv(100)
        self.near.send(b"%d" % n)
        yield "the other way", b"%d" % n, self.far.recv(100)


class InFlight(Kind):
    """A descriptor that is nowhere but in a message."""

    holds = "a descriptor in a message (SCM_RIGHTS)"
    asleep = "its file grows"

    def take(self):
        self.near, self.far = socket.socketpair()
        with open(self.path, "w") as file:
            file.write("text")
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [os.open(self.path, os.O_RDONLY)]))
            self.inode = os.fstat(file.fileno()).st_ino
        self.far.sendmsg([b"x"], [rights])
        os.close(rights[2][0])

    def disturb(self, n):
        with open(self.path, "a") as file:
            file.write("more")
        return ()

    def look(self, n):
        _, ancillary, _, _ = self.near.recvmsg(10, 100)
        descriptor = struct.unpack("i", ancillary[0][2])[0]
        yield "inode", self.inode, os.fstat(descriptor).st_ino
        self.far.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        os.close(descriptor)


class Bound(Kind):
    """Two datagram sockets, one with a name, and messages between them."""

    def __init__(self, change, volume):
        self.asleep, self.holds = change, "a datagram socket with a path and unread messages"
        super().__init__(volume)

    def take(self):
        self.near = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.near.bind(self.path)
        self.near.setblocking(False)
        self.far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.far.connect(self.path)
        for number in range(6):
            self.far.send(b"%d" % number)

    def disturb(self, n):
        if self.asleep == "the path is removed" and n == 1:
            os.unlink(self.path)
        return ()

    def look(self, n):
        yield "messages", [b"%d" % (2 * n - 2), b"%d" % (2 * n - 1)], [self.near.recv(10), self.near.recv(10)]
        yield "name", self.path, self.near.getsockname()
        self.far.send(b"more")


class Listener(Kind):
    """The container connects to itself."""

    def __init__(self, way, change, volume):
        self.abstract, self.asleep, self.holds = way == "abstract", change, f"a listening socket, {way}"
        super().__init__(volume)

    def take(self):
        self.address = "\0" + self.directory if self.abstract else self.path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.address)
        self.listener.listen(5)
        self.waiting = []
        if self.asleep == "a connection waits":
            self.connect(b"early")

    def connect(self, text):
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.address)
        client.send(text)
        self.waiting.append(client)

    def disturb(self, n):
        if self.asleep == "the path is removed" and n == 1:
            os.unlink(self.path)
        return ()

    def look(self, n):
        yield "name", self.address.encode() if self.abstract else self.address, self.listener.getsockname()
        if not self.waiting:
            if self.asleep == "the path is removed":
                return
            self.connect(b"late")
        accepted, _ = self.listener.accept()
        yield "data", b"early" if self.asleep == "a connection waits" and n == 1 else b"late", accepted.recv(10)
        accepted.send(b"answer")
        yield "answer", b"answer", self.waiting.pop().recv(10)
        if self.asleep == "a connection waits":
            self.connect(b"late")


class Options(Kind):
    holds = "options of a unix socket"

    def take(self):
        self.near, self.far = socket.socketpair()
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 30_000)
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 123, 0))
        self.near.setsockopt(socket.SOL_SOCKET, 42, 0)  # SO_PEEK_OFF
        self.before = self.read()

    def read(self):
        values = {name: self.near.getsockopt(socket.SOL_SOCKET, getattr(socket, name), 16) for name in OPTIONS}
        return values | {"SO_PEEK_OFF": self.near.getsockopt(socket.SOL_SOCKET, 42, 16)}

    def look(self, n):
        now = self.read()
        yield "options that differ", [], [name for name in self.before if self.before[name] != now[name]]


KINDS = [functools.partial(Pair, way) for way in ("stream", "seqpacket")] + [HalfClosed, InFlight] + [
    functools.partial(Listener, way, change) for way, change in (
        ("with a path", "nothing"), ("with a path", "the path is removed"), ("abstract", "nothing"))
] + [Options]
