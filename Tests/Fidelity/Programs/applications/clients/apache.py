import re

from .client import Connection, Counted, equal, eventually


class Client(Counted):
    """What it has counted is told at its end by each thread, so soon after the answer, and not with it."""

    def counted(self, connection):
        equal(connection.get("/"), "hello\n")
        return self.count + 1 if hasattr(self, "count") else 1
