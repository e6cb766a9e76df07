import redis

from .client import PATIENCE, Client, equal, served


class Client(Client):
    def begin(self):
        served(self.address, 6379)
        self.server, self.count = self.connection(), 0
        self.heard = self.connection().pubsub()
        self.heard.subscribe("news")
        equal(self.heard.get_message(timeout=PATIENCE)["type"], "subscribe")
        self.goes_on()

    def connection(self):
        return redis.Redis(self.address, single_connection_client=True, socket_timeout=PATIENCE)

    def goes_on(self):
        self.works(self.server)

    def begins_again(self):
        self.works(self.connection())

    def works(self, server):
        self.count += 1
        equal(server.incr("count"), self.count)
        equal(server.publish("news", f"{self.count}"), 1)
        equal(self.heard.get_message(timeout=PATIENCE)["data"], b"%d" % self.count)
