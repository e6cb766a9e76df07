from . import sshd
from .client import Lines


class Client(sshd.Client):
    """A shell with a terminal, which echoes nothing."""

    def connection(self):
        return Lines(*sshd.SSH, "-tt", f"root@{self.address}", "stty -echo; exec sh")

    def goes_on(self):
        self.count += 1
        self.session.ask("PS1=; count=$((count + 1)); echo $count", f"{self.count}")
