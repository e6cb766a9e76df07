from .client import Counted, equal


class Client(Counted):
    # It closes a connection for which it has no thread.
    kept = 2

    def counted(self, connection):
        equal(connection.get(), "hello\n")
        return self.count + 1 if hasattr(self, "count") else 1
