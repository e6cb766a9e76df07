from .client import Connection, Counted, eventually


class Client(Counted):
    def goes_on(self):
        super().goes_on()
        # Its thread's timer ticks on.
        before = self.ticks()
        eventually("a tick", lambda: self.ticks() > before)

    def ticks(self):
        return int(self.connections[0].get("/ticks"))
