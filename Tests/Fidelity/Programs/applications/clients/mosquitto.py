import queue

import paho.mqtt.client as mqtt

from .client import PATIENCE, Client, equal, served


class Client(Client):
    def begin(self):
        served(self.address, 1883)
        self.count, self.heard = 0, queue.Queue()
        self.publisher, self.subscriber = self.connection("publisher"), self.connection("subscriber")
        self.subscriber.on_message = lambda _client, _data, message: self.heard.put(message.payload)
        subscribed = queue.Queue()
        self.subscriber.on_subscribe = lambda *_: subscribed.put(None)
        # With quality 1 the subscriber has the last word, and the broker is taken to owe an answer for 300 s.
        self.subscriber.subscribe("news", qos=0)
        subscribed.get(timeout=PATIENCE)
        self.goes_on()

    def connection(self, name):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name)
        client.on_disconnect = lambda *_: self.heard.put(b"disconnected")
        client.connect(self.address, keepalive=3600)
        client.loop_start()
        return client

    def goes_on(self):
        self.publishes(self.publisher)

    def begins_again(self):
        self.publishes(self.connection(f"another{self.count}"))

    def publishes(self, client):
        self.count += 1
        client.publish("news", b"%d" % self.count, qos=1).wait_for_publish(PATIENCE)
        equal(self.heard.get(timeout=PATIENCE), b"%d" % self.count)
