"""Regular files and directories that are open, while somebody else changes them."""

import fcntl
import functools
import os

from kind import Kind

CONTENTS = b"0123456789" * 10
FLAGS = {
    "read": os.O_RDONLY, "write": os.O_WRONLY, "read and write": os.O_RDWR, "append": os.O_WRONLY | os.O_APPEND,
    "O_PATH": os.O_PATH,
}


class File(Kind):
    def __init__(self, mode, change, volume):
        self.holds, self.asleep, self.mode = f"a file open to {mode}", change, mode
        if mode == "O_PATH":
            self.holds = "a file open with O_PATH"
        super().__init__(volume)

    def take(self):
        with open(self.path, "wb") as file:
            file.write(CONTENTS)
        self.descriptor = os.open(self.path, FLAGS[self.mode])
        if self.mode != "O_PATH":
            os.lseek(self.descriptor, 5, os.SEEK_SET)
        self.inode, self.position = os.fstat(self.descriptor).st_ino, 5
        self.flags = fcntl.fcntl(self.descriptor, fcntl.F_GETFL)

    def disturb(self, n):
        old = os.path.join(self.directory, f"renamed-{n - 1}") if n > 1 else self.path
        match self.asleep:
            case "grows":
                with open(self.path, "ab") as file:
                    file.write(b"more")
            case "is truncated":
                os.truncate(self.path, 30 - 10 * n)
            case "is replaced by another of its size":
                with open(self.path + ".new", "wb") as file:
                    file.write(CONTENTS[::-1])
                os.rename(self.path + ".new", self.path)
            case "changes its mode":
                os.chmod(self.path, 0o600 + n)
            case "changes its owner":
                os.chown(self.path, 1000 + n, 1000)
            case "is renamed":
                os.rename(old, os.path.join(self.directory, f"renamed-{n}"))
            case "is deleted" if n == 1:
                os.unlink(self.path)
            case "becomes a directory" if n == 1:
                os.unlink(self.path)
                os.mkdir(self.path)
        return ()

    def look(self, n):
        now = os.fstat(self.descriptor)
        yield "inode", self.inode, now.st_ino
        yield "flags", self.flags, fcntl.fcntl(self.descriptor, fcntl.F_GETFL)
        if self.mode == "O_PATH":
            return
        yield "position", self.position, os.lseek(self.descriptor, 0, os.SEEK_CUR)
        if self.mode.startswith("read"):
            expected = CONTENTS
            if self.asleep == "grows":
                expected = CONTENTS + b"more" * n
            if self.asleep == "is truncated":
                expected = CONTENTS[: 30 - 10 * n]
            yield "contents", expected, os.pread(self.descriptor, 4096, 0)
        else:
            os.write(self.descriptor, b"w")
            self.position = now.st_size + 1 if self.mode == "append" else self.position + 1
            yield "position after a write", self.position, os.lseek(self.descriptor, 0, os.SEEK_CUR)
            yield "size after a write", max(now.st_size, self.position), os.fstat(self.descriptor).st_size


class Directory(Kind):
    holds = "a directory"

    def __init__(self, change, volume):
        self.asleep = change
        super().__init__(volume)

    def take(self):
        os.mkdir(self.path)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        self.inode = os.fstat(self.descriptor).st_ino

    def disturb(self, n):
        match self.asleep:
            case "gets an entry":
                open(os.path.join(self.path, str(n)), "w").close()
            case "is renamed" if n == 1:
                os.rename(self.path, self.path + "-renamed")
            case "is removed" if n == 1:
                os.rmdir(self.path)
            case "is replaced" if n == 1:
                os.rename(self.path, self.path + "-renamed")
                os.mkdir(self.path)
        return ()

    def look(self, n):
        yield "inode", self.inode, os.fstat(self.descriptor).st_ino
        entries = [str(one) for one in range(1, n + 1)] if self.asleep == "gets an entry" else []
        yield "entries", entries, sorted(os.listdir(self.descriptor))


CHANGES = [
    "nothing", "grows", "is truncated", "is replaced by another of its size", "changes its mode", "changes its owner",
    "is renamed", "is deleted", "becomes a directory",
]
KINDS = [functools.partial(File, mode, change) for mode in FLAGS for change in CHANGES] + [
    functools.partial(Directory, change)
    for change in ("nothing", "gets an entry", "is renamed", "is removed", "is replaced")
]
