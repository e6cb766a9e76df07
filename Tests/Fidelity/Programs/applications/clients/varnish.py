from .client import Counted, equal


class Client(Counted):
    """What is cached is not asked for again."""

    def counted(self, connection):
        connection.http.request("GET", "/index.html")
        answer = connection.http.getresponse()
        equal(answer.read(), b"hello\n")
        # Of a hit: the request's number, and that of the one that brought it.
        numbers = answer.getheader("X-Varnish").split()
        if not hasattr(self, "first"):
            self.first, self.count = numbers[-1], 0
        equal(numbers[-1], self.first)
        return self.count + 1
