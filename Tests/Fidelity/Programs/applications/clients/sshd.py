from .client import Client, Lines, served

SSH = ("ssh", "-q", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")


class Client(Client):
    """A shell without a terminal."""

    def begin(self):
        served(self.address, 22)
        self.count = 0
        self.session = self.connection()
        self.goes_on()

    def connection(self):
        return Lines(*SSH, "-T", f"root@{self.address}", "sh")

    def goes_on(self):
        self.count += 1
        # A variable of the shell counts on.
        self.session.ask("count=$((count + 1)); echo $count", f"{self.count}")

    def begins_again(self):
        self.connection().ask("echo hello", "hello")
        self.goes_on()
