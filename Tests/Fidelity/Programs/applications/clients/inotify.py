from .client import Client, Connection, eventually, served


class Client(Client):
    """Has the watched directory, too, and makes files in it: while the application runs, and while it sleeps."""

    def begin(self):
        served(self.address, 80)
        self.connection, self.made = Connection(self.address), []
        self.goes_on()

    def asleep(self):
        self.make()

    def make(self):
        name = f"{len(self.made):04}"
        open(f"/volume/{name}", "w").close()
        self.made.append(name)

    def goes_on(self):
        self.make()
        self.sees(self.connection)

    def begins_again(self):
        self.make()
        self.sees(Connection(self.address))

    def sees(self, connection):
        eventually(f"{self.made} are seen", lambda: connection.get().split() == self.made)
