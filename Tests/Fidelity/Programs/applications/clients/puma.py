from .client import Counted, equal


class Client(Counted):
    # It closes a connection for which it has no thread.
    kept = 2

    count = 0

    def counted(self, connection):
        equal(connection.get(), "hello\n")
        return self.count
