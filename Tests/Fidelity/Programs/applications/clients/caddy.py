import re

from .client import Counted, equal


class Client(Counted):
    def counted(self, connection):
        equal(connection.get(), "hello")
        metrics = connection.get("/metrics")
        return sum(int(n) for n in re.findall(r'^caddy_http_requests_total\{handler="static_response".* (\d+)$', metrics, re.M))
