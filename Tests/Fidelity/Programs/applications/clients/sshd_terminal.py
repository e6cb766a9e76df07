from . import sshd
from .client import Lines, equal


class Client(sshd.Client):
    """With a terminal, which echoes nothing."""

    shell = "stty -echo; echo ready; while read -r line; do eval $line; done"

    def connection(self):
        lines = Lines(*sshd.SSH, "-tt", f"root@{self.address}", self.shell)
        equal(lines.program.stdout.readline().strip(), "ready")
        return lines
