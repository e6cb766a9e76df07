import threading

import redis

from .client import PATIENCE, Client, equal, served


class Client(Client):
    def begin(self):
        served(self.address, 6379)
        self.server, self.count = self.connection(), 0
        self.heard = self.connection().pubsub()
        self.heard.subscribe("news")
        equal(self.heard.get_message(timeout=PATIENCE)["type"], "subscribe")
        self.waiter = self.connection()
        self.wait()

    def connection(self):
        return redis.Redis(self.address, single_connection_client=True, socket_timeout=PATIENCE)

    def wait(self):
        """Somebody waits for an element, over the sleep."""
        self.element = []
        self.thread = threading.Thread(target=lambda: self.element.append(self.waiter.blpop("queue")), daemon=True)
        self.thread.start()

    def goes_on(self):
        self.works(self.server)

    def begins_again(self):
        self.works(self.connection())

    def works(self, server):
        self.count += 1
        equal(server.incr("count"), self.count)
        equal(server.publish("news", f"{self.count}"), 1)
        equal(self.heard.get_message(timeout=PATIENCE)["data"], b"%d" % self.count)
        server.rpush("queue", self.count)
        self.thread.join(PATIENCE)
        equal(self.element, [(b"queue", b"%d" % self.count)])
        self.wait()
