import celery

from .client import PATIENCE, Client, equal, served


class Client(Client):
    def begin(self):
        served(self.address, 6379)
        self.count = 0
        self.application = self.connection()
        self.goes_on()

    def connection(self):
        broker = f"redis://{self.address}"
        return celery.Celery("tasks", broker=broker, backend=broker)

    def goes_on(self):
        self.adds(self.application)

    def begins_again(self):
        self.adds(self.connection())

    def adds(self, application):
        self.count += 1
        equal(application.send_task("tasks.add", (self.count, 1)).get(timeout=PATIENCE), self.count + 1)
