"""Locks on files, which others try to take while the container sleeps."""

import errno
import fcntl
import functools
import os
import struct
import subprocess
import sys
import threading

from kind import Kind


def flock(descriptor, exclusive, wait=False):
    fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))


def record(descriptor, exclusive, wait=False):
    fcntl.lockf(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB), 10, 5)


def description(descriptor, exclusive, wait=False):
    """Of the open file description: F_OFD_SETLK and F_OFD_SETLKW."""
    kind = fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK
    fcntl.fcntl(descriptor, 38 if wait else 37, struct.pack("hhqqi4x", kind, 0, 5, 10, 0))


WAYS = {"flock": flock, "POSIX": record, "OFD": description}


def state(path, lock, exclusive):
    """Whether somebody else would get the lock now."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        lock(descriptor, exclusive)
        return "free"
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return "held"
    finally:
        os.close(descriptor)


class Lock(Kind):
    asleep = "another tries to take it"

    def __init__(self, way, exclusive, volume):
        self.lock, self.exclusive = WAYS[way], exclusive
        self.holds = f"{'a write' if exclusive else 'a read'} lock ({way})"
        super().__init__(volume)

    def take(self):
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        self.lock(self.descriptor, self.exclusive)

    def disturb(self, n):
        yield "asleep, for a writer", "held", state(self.path, self.lock, True)
        yield "asleep, for a reader", "held" if self.exclusive else "free", state(self.path, self.lock, False)

    def after(self, n):
        yield "awake, for a writer", "held", state(self.path, self.lock, True)
        yield "awake, for a reader", "held" if self.exclusive else "free", state(self.path, self.lock, False)


class Waiter(Kind):
    """Another waits for the lock from the first sleep on. It gets it when the container gives it up, at the third wake."""

    asleep = "another waits for it"

    def __init__(self, way, volume):
        self.way, self.holds = way, f"a write lock ({way})"
        super().__init__(volume)

    def take(self):
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        WAYS[self.way](self.descriptor, True)

    def disturb(self, n):
        if n == 1:
            # A process of its own: the kernel takes two processes that wait for each other's POSIX locks for a deadlock.
            code = f"from groups.locks import *; WAYS[{self.way!r}](os.open({self.path!r}, os.O_RDWR), True, True)"
            self.waiter = subprocess.Popen([sys.executable, "-c", code], cwd=os.path.dirname(__file__) + "/..")
        yield "the lock is taken", False, self.taken(0.1)

    def taken(self, seconds):
        try:
            return self.waiter.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return False

    def look(self, n):
        if n == 3:
            os.close(self.descriptor)
        return ()

    def after(self, n):
        yield "the lock is taken", n == 3, self.taken(20 if n == 3 else 0.1)


class Waiting(Kind):
    """The other way round: the container waits for a lock, which it gets when the other gives it up in the third sleep."""

    asleep = "the other keeps it, and gives it up in the end"

    def __init__(self, way, volume):
        self.lock, self.holds = WAYS[way], f"a thread that waits for a lock ({way})"
        self.taken = threading.Event()
        super().__init__(volume)

    def take(self):
        os.mkfifo(self.path + ".held")
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        open(self.path + ".held").close()
        self.lock(self.descriptor, True, wait=True)
        self.taken.set()

    def meet(self):
        self.descriptor = os.open(self.path, os.O_RDWR)
        self.lock(self.descriptor, True)
        open(self.path + ".held", "w").close()

    def disturb(self, n):
        if n == 3:
            os.close(self.descriptor)
        return ()

    def look(self, n):
        yield "the lock is taken", n == 3, self.taken.wait(20 if n == 3 else 0.1)


class Refused:
    """A POSIX lock for writing would be free between the end of its process and the wake: the container is frozen."""

    refusal = "lock for writing"


class RefusedLock(Refused, Lock):
    pass


class RefusedWaiter(Refused, Waiter):
    pass


KINDS = (
    [functools.partial(Lock, way, exclusive) for way in WAYS for exclusive in (False, True) if not (way == "POSIX" and exclusive)]
    + [functools.partial(Waiter, way) for way in WAYS if way != "POSIX"]
    + [functools.partial(Waiting, way) for way in WAYS]
)
