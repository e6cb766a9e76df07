import re

from .client import Connection, Counted, equal, eventually


class Client(Counted):
    """What it has counted is told at its end by each thread, so soon after the answer, and not with it."""

    count = 0

    def counted(self, connection):
        equal(connection.get("/"), "hello\n")
        return self.count
