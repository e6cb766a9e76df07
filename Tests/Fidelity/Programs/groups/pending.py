"""TCP connections of a container with itself."""

import functools
import socket

from kind import Kind


class Loopback(Kind):
    """Both ends are the container's. What waits in it is work that is not done, for which it may stay awake."""

    def __init__(self, what, volume):
        self.what, self.holds = what, f"a TCP connection to itself, {what}"
        self.refusal = "" if what == "idle" else "not answered a request|waits|unread"
        super().__init__(volume)

    def take(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.near = socket.create_connection(self.listener.getsockname())
        if self.what == "not accepted yet":
            self.near.send(b"early")
            return
        self.far, _ = self.listener.accept()
        if self.what == "with unread data":
            self.far.send(b"unread")
        if self.what == "half closed":
            self.near.shutdown(socket.SHUT_WR)

    def look(self, n):
        if self.what == "not accepted yet":
            accepted, _ = self.listener.accept()
            yield "data", b"early", accepted.recv(100)
            self.near = socket.create_connection(self.listener.getsockname())
            self.near.send(b"early")
            return
        self.far.send(b"%d" % n)
        text = b"unread1" if n == 1 and self.what == "with unread data" else b"%d" % n
        self.near.settimeout(20)
        yield "data", text, self.near.recv(100)
        if self.what == "half closed":
            yield "the closed way", b"", self.far.recv(100)


KINDS = [
    functools.partial(Loopback, what) for what in ("idle", "with unread data", "half closed", "not accepted yet")
]
