"""Attacks: a neighbour that has the same volume puts symbolic links in the places that a sleeping container has open, so
that who opens them again by name as the node's root would give the container what is not its own, or change it."""

import functools
import os
import shutil
import socket

from groups.places import Child
from kind import Kind


class Planted(Kind):
    def __init__(self, target, volume):
        self.target = target
        self.asleep = f"becomes a symbolic link to {target}"
        super().__init__(volume)

    def disturb(self, n):
        if n == 1:
            os.rename(self.path, self.path + "-moved")
            os.symlink(self.target, self.path)
        return ()


class File(Planted):
    """As large as CRIU's program and with its mode, by which CRIU knows a file again."""

    holds = "a file of the size and mode of criu's program"

    def take(self):
        with open(self.path, "wb") as file:
            file.truncate(int(os.environ["CRIU_SIZE"]))
        os.chmod(self.path, int(os.environ["CRIU_MODE"], 8))
        self.descriptor = os.open(self.path, os.O_RDONLY)
        self.inode = os.fstat(self.descriptor).st_ino

    def look(self, n):
        yield "inode", self.inode, os.fstat(self.descriptor).st_ino
        yield "contents", b"\0\0\0\0", os.pread(self.descriptor, 4, 0)


class Directory(Planted):
    holds = "a directory"

    def take(self):
        os.mkdir(self.path)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        self.inode = os.fstat(self.descriptor).st_ino

    def look(self, n):
        yield "inode", self.inode, os.fstat(self.descriptor).st_ino
        yield "entries", [], os.listdir(self.descriptor)


class WorkingDirectory(Planted):
    holds = "a working directory"

    def take(self):
        os.mkdir(self.path)
        self.child = Child(directory=self.path)
        self.child.ask("1")

    def look(self, n):
        yield "entries", "[]", self.child.ask("os.listdir('.')")


class Program(Planted):
    holds = "a running program"

    def take(self):
        shutil.copy("/usr/bin/busybox", self.path)
        self.inode = os.stat(self.path).st_ino
        self.child = Child("cat", executable=self.path)

    def look(self, n):
        yield "inode", self.inode, os.stat(f"/proc/{self.child.process.pid}/exe").st_ino
        yield "answer", f"{n}", self.child.ask(f"{n}")


class Beside(Kind):
    """The directory of what is open becomes a link to another one, in which nothing may be made, and nothing removed."""

    asleep = "its directory becomes a symbolic link to another"

    def __init__(self, holds, volume):
        self.holds = holds
        super().__init__(volume)
        self.place, self.victim = (os.path.join(self.directory, name) for name in ("place", "victim"))
        self.path = os.path.join(self.place, "file")

    def take(self):
        os.mkdir(self.place)
        os.mkdir(self.victim)
        with open(self.victim + "/file", "w") as file:
            file.write("of somebody else")
        if "socket" in self.holds:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(self.path)
            self.socket.listen()
            return
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        if "deleted" in self.holds:
            os.unlink(self.path)

    def disturb(self, n):
        if n == 1:
            os.rename(self.place, self.place + "-moved")
            os.symlink("victim", self.place)
            self.before = self.state()
        return ()

    def state(self):
        now = os.stat(self.victim)
        with open(self.victim + "/file") as file:
            return now.st_mtime_ns, os.listdir(self.victim), file.read(), os.stat(self.victim + "/file").st_nlink

    def after(self, n):
        yield "the other directory", self.before, self.state()


DIRECTORIES = ["/", "/proc/self/root", "/proc/self/cwd", "/proc/1/root"] + [f"/proc/self/fd/{n}" for n in range(3, 11)]
KINDS = [functools.partial(File, target) for target in ("/proc/self/exe", "/etc/passwd", "/proc/self/fd/3")] + [
    functools.partial(Directory, target) for target in DIRECTORIES
] + [functools.partial(WorkingDirectory, target) for target in DIRECTORIES[:4]] + [
    functools.partial(Program, "/proc/self/exe"),
] + [functools.partial(Beside, what) for what in ("a socket with a path", "a deleted file", "a file")]
