from .client import Counted, equal


class Client(Counted):
    """What is cached is not asked for again."""

    object = None
    count = 0

    def counted(self, connection):
        connection.http.request("GET", "/index.html")
        answer = connection.http.getresponse()
        equal(answer.read(), b"hello\n")
        # Of a hit: the request's number, and that of the one that brought the object.
        numbers = answer.getheader("X-Varnish").split()
        if len(numbers) == 2 and not self.object:
            self.object = numbers[1]
        equal(numbers[1:], [self.object] if self.object else [])
        return self.count
