"""Files that are deleted while they are open or mapped, before the container sleeps; and how descriptions are shared."""

import fcntl
import functools
import mmap
import os
import subprocess
import sys
import zlib

from kind import Kind


class Deleted(Kind):
    """Deleted where: in the volume, in the container's own writable layer, in /dev/shm, or of the image's layer."""

    def __init__(self, where, how, volume):
        self.where, self.how = where, how
        self.holds = f"a deleted file of {where}, {how}"
        super().__init__(volume)

    def take(self):
        name = os.path.basename(self.directory)
        path = {
            "the volume": self.path, "the container's layer": "/tmp/" + name, "/dev/shm": "/dev/shm/" + name,
            "the image": "/usr/bin/server.py",
        }[self.where]
        if self.where != "the image":
            with open(path, "wb") as file:
                file.write(os.urandom(3 << 20))
        with open(path, "rb" if self.where == "the image" else "r+b") as file:
            self.checksum = zlib.crc32(file.read())
            self.inode = os.fstat(file.fileno()).st_ino
            if self.how == "mapped":
                self.mapping = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED)
            else:
                self.descriptor = os.dup(file.fileno())
        if self.how == "open, another link left":
            os.link(path, path + ".link")
        os.unlink(path)
        if self.how != "mapped":
            # Of an image's file it is the lower layer's, which stays.
            self.links = os.fstat(self.descriptor).st_nlink

    def look(self, n):
        if self.how == "mapped":
            yield "contents", self.checksum, zlib.crc32(self.mapping[:])
            return
        now = os.fstat(self.descriptor)
        yield "inode", self.inode, now.st_ino
        yield "links", self.links, now.st_nlink
        yield "contents", self.checksum, zlib.crc32(os.pread(self.descriptor, now.st_size, 0))


class Temporary(Kind):
    """As Python's tempfile makes them."""

    holds = "a file made with O_TMPFILE"

    def take(self):
        self.descriptor = os.open(self.directory, os.O_RDWR | os.O_TMPFILE)
        os.write(self.descriptor, b"temporary")
        self.inode = os.fstat(self.descriptor).st_ino

    def look(self, n):
        yield "inode", self.inode, os.fstat(self.descriptor).st_ino
        yield "contents", b"temporary", os.pread(self.descriptor, 100, 0)


class Sparse(Kind):
    holds = "a deleted sparse file of 2 GiB"

    def take(self):
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        os.ftruncate(self.descriptor, 2 << 30)
        os.pwrite(self.descriptor, b"near the end", (2 << 30) - 4096)
        os.unlink(self.path)
        self.state = os.fstat(self.descriptor)

    def look(self, n):
        now = os.fstat(self.descriptor)
        yield "inode, size, blocks", (self.state.st_ino, 2 << 30, self.state.st_blocks), (
            now.st_ino, now.st_size, now.st_blocks)
        yield "contents", b"near the end", os.pread(self.descriptor, 12, (2 << 30) - 4096)


class Shared(Kind):
    """A parent and a child have one description, and so one position."""

    holds = "a description shared with a child"
    asleep = "the file grows"

    def take(self):
        with open(self.path, "w") as file:
            file.write("0123456789" * 10)
        self.descriptor, self.other = os.open(self.path, os.O_RDWR), os.open(self.path, os.O_RDWR)
        self.copy = os.dup(self.descriptor)
        code = "import os, sys\nfor line in sys.stdin: os.lseek(%d, int(line), 1); print(flush=True)" % self.descriptor
        self.child = subprocess.Popen(
            [sys.executable, "-c", code], pass_fds=[self.descriptor], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.position = 0

    def disturb(self, n):
        with open(self.path, "a") as file:
            file.write("more")
        return ()

    def look(self, n):
        self.child.stdin.write(b"%d\n" % n)
        self.child.stdin.flush()
        self.child.stdout.readline()
        self.position += n
        yield "position that the child moved", self.position, os.lseek(self.descriptor, 0, os.SEEK_CUR)
        yield "position of the duplicate", self.position, os.lseek(self.copy, 0, os.SEEK_CUR)
        yield "position of another description", 0, os.lseek(self.other, 0, os.SEEK_CUR)
        fcntl.fcntl(self.copy, fcntl.F_SETFL, os.O_APPEND if n % 2 else 0)
        flags = fcntl.fcntl(self.descriptor, fcntl.F_GETFL)
        yield "O_APPEND set on the duplicate", bool(n % 2), bool(flags & os.O_APPEND)


KINDS = [
    functools.partial(Deleted, where, how)
    for where in ("the volume", "the container's layer", "/dev/shm")
    for how in ("open", "mapped", "open, another link left")
] + [functools.partial(Deleted, "the image", "open"), Temporary, Sparse, Shared]
