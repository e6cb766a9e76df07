"""What is lost without a word, since nothing outside a process tells of it, or nobody but the kernel can set it."""

import functools
import struct

from groups.local import Credentials
from groups.refused import Child, call
from groups.tasks import Attribute, key, key_seen
from kind import Kind, NotHere


class Landlock(Kind):
    holds = "a landlock domain"

    def take(self):
        attributes = struct.pack("Q", 1 << 2)  # LANDLOCK_ACCESS_FS_READ_FILE
        call(444, None, 0, 1)
        self.child = Child()
        rules = (
            "[l := __import__('ctypes').CDLL(None), l.prctl(38, 1, 0, 0, 0), "
            f"l.syscall(446, l.syscall(444, {attributes!r}, 8, 0), 0)][-1]")
        if self.child.ask(rules) != "0":
            raise NotHere("landlock_restrict_self")

    def look(self, n):
        answer = self.child.ask("os.system('cat /etc/passwd >/dev/null 2>&1') != 0")
        yield "a file cannot be read", "True", answer


KINDS = [Credentials, Landlock, functools.partial(Attribute, "thread", "the session keyring", key, key_seen)]
