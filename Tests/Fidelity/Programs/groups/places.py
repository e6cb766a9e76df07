"""Working directories, roots, executables, and volumes as the kubelet replaces them."""

import ctypes
import functools
import mmap
import os
import shutil
import subprocess
import sys

from kind import Kind

EVALUATE = "import os, sys\nfor line in sys.stdin: print(eval(line), flush=True)"


class Child:
    """A process of its own, since a working directory is a process's. It evaluates what it is asked."""

    def __init__(self, *arguments, executable=sys.executable, directory=None):
        self.process = subprocess.Popen(
            arguments or ("python3", "-c", EVALUATE), executable=executable, cwd=directory, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, expression):
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


class WorkingDirectory(Kind):
    holds = "a working directory"

    def __init__(self, change, volume):
        self.asleep = change
        super().__init__(volume)

    def take(self):
        os.mkdir(self.path)
        self.child = Child(directory=self.path)
        self.inode = os.stat(self.path).st_ino
        if self.asleep == "was removed before":
            os.rmdir(self.path)

    def disturb(self, n):
        match self.asleep:
            case "is removed" if n == 1:
                os.rmdir(self.path)
            case "is renamed" if n == 1:
                os.rename(self.path, self.path + "-renamed")
            case "is replaced" if n == 1:
                os.rename(self.path, self.path + "-renamed")
                os.mkdir(self.path)
            case "becomes a symbolic link to the root" if n == 1:
                os.rename(self.path, self.path + "-renamed")
                os.symlink("/", self.path)
        return ()

    def look(self, n):
        yield "inode of .", str(self.inode), self.child.ask("os.stat('.').st_ino")
        yield "inode of /proc/PID/cwd", self.inode, os.stat(f"/proc/{self.child.process.pid}/cwd").st_ino


class Executable(Kind):
    holds = "a running program"

    def __init__(self, change, volume):
        self.asleep = change
        super().__init__(volume)

    def take(self):
        shutil.copy("/usr/bin/busybox", self.path)
        self.inode = os.stat(self.path).st_ino
        self.child = Child("cat", executable=self.path)

    def disturb(self, n):
        if self.asleep == "is replaced":
            shutil.copy("/usr/bin/python3.13", self.path + ".new")
            os.rename(self.path + ".new", self.path)
        elif n == 1:
            os.unlink(self.path)
        return ()

    def look(self, n):
        yield "inode of the executable", self.inode, os.stat(f"/proc/{self.child.process.pid}/exe").st_ino
        yield "answer", f"hello {n}", self.child.ask(f"hello {n}")


class Root(Kind):
    holds = "a root made by chroot"
    asleep = "is renamed"

    def take(self):
        os.makedirs(self.path)
        with open(self.path + "/inside", "w") as file:
            file.write("text")
        self.child = Child("python3", "-c", f"import os\nos.chroot({self.path!r})\nos.chdir('/')\n" + EVALUATE)
        self.child.ask("1")

    def disturb(self, n):
        if n == 1:
            os.rename(self.path, self.path + "-renamed")
        return ()

    def look(self, n):
        yield "entries of the root", "['inside']", self.child.ask("os.listdir('/')")
        yield "contents", "'text'", self.child.ask("repr(open('/inside').read())")


class Projected(Kind):
    """A volume as the kubelet makes those of ConfigMaps, Secrets and tokens: the symbolic link ..data is renamed over,
    and the directory that it named before is removed."""

    holds = "files of a ConfigMap"
    asleep = "it is updated"

    def take(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.update(0)
        real = os.path.realpath(self.directory + "/..data")
        self.descriptor = os.open(self.directory + "/..data/value", os.O_RDONLY)
        with open(real + "/value", "rb") as file:
            self.mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.place = os.open(real, os.O_RDONLY | os.O_DIRECTORY)
        self.child = Child(directory=real)
        self.inodes = os.fstat(self.descriptor).st_ino, os.fstat(self.place).st_ino
        self.watch = self.libc.inotify_init1(os.O_NONBLOCK)
        self.libc.inotify_add_watch(self.watch, self.directory.encode(), 0x80)  # IN_MOVED_TO

    def update(self, n):
        place = f"{self.directory}/..{n}"
        os.mkdir(place)
        with open(place + "/value", "w") as file:
            file.write(f"version {n}")
        os.symlink(f"..{n}", self.directory + "/..new")
        os.rename(self.directory + "/..new", self.directory + "/..data")
        if n:
            shutil.rmtree(f"{self.directory}/..{n - 1}")

    def disturb(self, n):
        self.update(n)
        return ()

    def look(self, n):
        yield "the open file", b"version 0", os.pread(self.descriptor, 100, 0)
        yield "the mapping", b"version 0", self.mapping[:]
        yield "inodes", self.inodes, (os.fstat(self.descriptor).st_ino, os.fstat(self.place).st_ino)
        yield "working directory", str(self.inodes[1]), self.child.ask("os.stat('.').st_ino")
        yield "opened anew", f"version {n}", open(self.directory + "/..data/value").read()
        try:
            event = os.read(self.watch, 4096)
        except BlockingIOError:
            event = b"none"
        yield "the event", True, b"..data" in event


WORKING = (
    "nothing", "is removed", "is renamed", "is replaced", "becomes a symbolic link to the root", "was removed before",
)
KINDS = [functools.partial(WorkingDirectory, change) for change in WORKING] + [
    functools.partial(Executable, "is replaced"), functools.partial(Executable, "is deleted"), Root, Projected,
]
