"""Connections in which something waits that the container has not read. It may stay awake for that."""

import functools
import socket

from groups.quiet import Connection
from kind import Kind

WAITING = "not answered a request|waits|unread"


class Loopback(Kind):
    """Both ends are the container's."""

    def __init__(self, what, volume):
        self.what, self.holds = what, f"a TCP connection to itself, {what}"
        self.refusal = "" if what == "idle" else WAITING
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


class Unread(Connection):
    refusal = WAITING

    def serve(self):
        """Nobody reads."""

    def meet(self):
        yield from super().meet()
        self.client.send(b"unread" * 1000)
        self.client.shutdown(socket.SHUT_WR)

    def look(self, n):
        yield from super().look(n)
        if n == 1:
            data = b""
            while part := self.connection.recv(10_000):
                data += part
            yield "data until the end", b"unread" * 1000, data
        self.connection.send(b"%d" % n)

    def after(self, n):
        yield "the other way", b"%d" % n, self.client.recv(10)


KINDS = [functools.partial(Unread, "with unread data and half closed", 9101, "nothing")] + [
    functools.partial(Loopback, what) for what in ("idle", "with unread data", "half closed", "not accepted yet")
]
