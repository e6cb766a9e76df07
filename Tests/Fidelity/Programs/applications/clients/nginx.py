import re

from .client import Counted


class Client(Counted):
    path = "/status"

    def counted(self, connection):
        # Of all workers: "server accepts handled requests", and the numbers.
        return int(re.search(r"requests\s+\d+ \d+ (\d+)", connection.get(self.path))[1])
