"""Connections that are open while the container sleeps, and what happens on them without waking it."""

import functools
import os
import socket
import struct
import threading
import time

from groups.outside import echo, retried
from kind import Kind


class Connection(Kind):
    """One to a port of its own, accepted, and then in some state."""

    def __init__(self, state, port, asleep, volume):
        self.state, self.port, self.asleep, self.holds = state, port, asleep, f"a TCP connection, {state}"
        super().__init__(volume)

    def take(self):
        self.listener = socket.create_server(("::", self.port), family=socket.AF_INET6, dualstack_ipv6=True)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        self.connection, self.peer = self.listener.accept()
        self.prepare()
        self.before = self.look_at()
        self.connection.send(b"!")
        self.serve()

    def serve(self):
        echo(self.connection)

    def prepare(self):
        pass

    def look_at(self):
        return os.fstat(self.connection.fileno()).st_ino, self.connection.getsockname(), self.connection.getpeername()

    def meet(self):
        self.client = retried(lambda: socket.create_connection((self.pod, self.port), 20))
        yield "greeting", b"!", self.client.recv(1)

    def look(self, n):
        yield "inode, names", self.before, self.look_at()

    def after(self, n):
        self.client.send(b"%d" % n)
        yield "answer", b"echo %d" % n, self.client.recv(100)


class KeepAlive(Connection):
    """The server's own, every second."""

    def prepare(self):
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1)):
            self.connection.setsockopt(socket.IPPROTO_TCP, option, value)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def segments(self):
        """tcpi_segs_in."""
        return struct.unpack_from("I", self.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232), 140)[0]

    def disturb(self, n):
        begin, end = self.segments(), time.monotonic() + 10
        while self.segments() < begin + 2 and time.monotonic() < end:
            time.sleep(0.05)
        yield "segments that come in asleep", True, self.segments() >= begin + 2

    def after(self, n):
        return ()


class UnwatchedDatagram(Kind):
    holds = "a UDP socket on a port that nobody watches"
    asleep = "datagrams come"

    def take(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("", 9110))
        self.socket.settimeout(20)

    def disturb(self, n):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"%d" % n, (self.pod, 9110))
        return ()

    def look(self, n):
        yield "the datagram", b"%d" % n, self.socket.recv(100)


KINDS = [
    functools.partial(Connection, "idle", 9100, "nothing"),
    functools.partial(KeepAlive, "with keep-alives of its own", 9103, "time passes"), UnwatchedDatagram,
]
