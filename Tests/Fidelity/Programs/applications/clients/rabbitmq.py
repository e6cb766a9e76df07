import pika

from .client import PATIENCE, Client, equal, eventually, served


class Client(Client):
    def begin(self):
        served(self.address, 5672)
        self.count = 0
        self.consumer, self.producer = self.channel(), self.channel()
        self.consumer.queue_declare("queue", durable=True)
        self.consumer.basic_consume("queue", self.consumed, auto_ack=True)
        self.goes_on()

    def channel(self):
        parameters = pika.ConnectionParameters(self.address, heartbeat=0, socket_timeout=PATIENCE)
        return pika.BlockingConnection(parameters).channel()

    def consumed(self, _channel, _method, _properties, body):
        self.got = body

    def goes_on(self):
        self.produces(self.producer)

    def begins_again(self):
        self.produces(self.channel())

    def produces(self, channel):
        self.count, self.got = self.count + 1, None
        channel.confirm_delivery() if channel is not self.producer or self.count == 1 else None
        channel.basic_publish("", "queue", b"%d" % self.count)
        eventually("a message", lambda: self.consumer.connection.process_data_events(0.1) or self.got)
        equal(self.got, b"%d" % self.count)
