"""Mapped files, while somebody else changes them."""

import ctypes
import functools
import mmap
import os
import shutil

from kind import Kind

SIZE = 4 * mmap.PAGESIZE


class Mapped(Kind):
    def __init__(self, way, change, volume):
        self.way, self.asleep, self.holds = way, change, f"a {way} mapping of a file"
        super().__init__(volume)

    def take(self):
        with open(self.path, "wb") as file:
            file.write(b"." * SIZE)
        with open(self.path, "r+b" if self.way == "shared" else "rb") as file:
            flags = mmap.MAP_SHARED if self.way.startswith("shared") else mmap.MAP_PRIVATE
            protection = mmap.PROT_READ if "read-only" in self.way else mmap.PROT_READ | mmap.PROT_WRITE
            self.mapping = mmap.mmap(file.fileno(), SIZE, flags, protection)
            self.inode = os.fstat(file.fileno()).st_ino
        if self.way == "private":
            self.mapping[:4] = b"mine"

    def meet(self):
        # To look at the object that is mapped, whatever becomes of its name.
        self.descriptor = os.open(self.path, os.O_RDWR)

    def disturb(self, n):
        match self.asleep:
            case "the file is written":
                os.pwrite(self.descriptor, b"%d" % n, 2 * mmap.PAGESIZE)
            case "the file grows":
                os.pwrite(self.descriptor, b"more", os.fstat(self.descriptor).st_size)
            case "the file is replaced":
                with open(self.path + ".new", "wb") as file:
                    file.write(b"#" * SIZE)
                os.rename(self.path + ".new", self.path)
            case "the file is deleted" if n == 1:
                os.unlink(self.path)
            case "the file changes its mode":
                os.chmod(self.path, 0o600 + n)
        return ()

    def look(self, n):
        expected = bytearray(b"." * SIZE)
        if self.way == "private":
            expected[:4] = b"mine"
        if self.way == "shared":
            self.mapping[:4] = b"%04d" % n
            expected[:4] = b"%04d" % n
        if self.asleep == "the file is written":
            expected[2 * mmap.PAGESIZE] = ord(str(n))
        yield "contents", zip_differences(expected, expected), zip_differences(expected, self.mapping[:])
        yield "inode in /proc/self/maps", True, any(
            line.split()[4] == str(self.inode) for line in open("/proc/self/maps") if " 00:00 " not in line)

    def after(self, n):
        if self.way == "shared":
            yield "what the container wrote, seen outside", b"%04d" % n, os.pread(self.descriptor, 4, 0)


def zip_differences(expected, seen):
    """Where the bytes differ, and how."""
    return [(at, bytes([a]), bytes([b])) for at, (a, b) in enumerate(zip(expected, seen)) if a != b][:5]


class Library(Kind):
    """A library that an upgrade replaces."""

    holds = "a loaded library"

    def __init__(self, change, volume):
        self.asleep = change
        super().__init__(volume)

    def take(self):
        shutil.copy("/usr/lib/x86_64-linux-gnu/libz.so.1", self.path)
        self.library = ctypes.CDLL(self.path)
        self.library.zlibVersion.restype = ctypes.c_char_p
        self.version = self.library.zlibVersion()

    def disturb(self, n):
        if n > 1 and self.asleep == "is deleted":
            return ()
        if self.asleep == "is deleted":
            os.unlink(self.path)
        else:
            with open(self.path + ".new", "wb") as file:
                file.write(b"another version")
            os.rename(self.path + ".new", self.path)
        return ()

    def look(self, n):
        yield "answer of the library", self.version, self.library.zlibVersion()
        # A page that may not have been touched before.
        yield "checksum by the library", 907060870, self.library.crc32(0, b"hello", 5)


class SharedMemory(Kind):
    holds = "anonymous memory shared with a child"

    def take(self):
        self.mapping = mmap.mmap(-1, SIZE)
        read, write = os.pipe()
        self.pipe = write
        if os.fork() == 0:
            os.close(write)
            while os.read(read, 1):
                self.mapping[0] += 1
            os._exit(0)
        os.close(read)

    def look(self, n):
        os.write(self.pipe, b"x")
        for _ in range(10_000):
            if self.mapping[0] == n:
                break
            os.sched_yield()
        yield "count by the child", n, self.mapping[0]


CHANGES = [
    "nothing", "the file is written", "the file grows", "the file is replaced", "the file is deleted",
    "the file changes its mode",
]
WAYS = ["shared", "private", "private read-only", "shared read-only"]
KINDS = [SharedMemory] + [functools.partial(Mapped, way, change) for way in WAYS for change in CHANGES] + [
    functools.partial(Library, "is replaced"), functools.partial(Library, "is deleted"),
]
