"""System calls that a sleep interrupts. None of them may end with EINTR that would not end so under SIGSTOP, and none
before its time. They are called directly: Python itself would call again after EINTR.
"""

import ctypes
import fcntl
import functools
import os
import select
import signal
import socket
import struct
import threading
import time

from kind import Kind

libc = ctypes.CDLL(None, use_errno=True)
HOUR = 3600


def timespec(seconds):
    return struct.pack("qq", int(seconds), 0)


def pipe_poll(timeout):
    return struct.pack("ihh", os.pipe()[0], select.POLLIN, 0), 1, timeout


FUTEX = ctypes.c_int(0)
SEMAPHORE = ctypes.create_string_buffer(64)
libc.sem_init(SEMAPHORE, 0, 0)
MUTEX, CONDITION = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)


def condition_wait():
    libc.pthread_mutex_lock(MUTEX)
    return -libc.pthread_cond_timedwait(CONDITION, MUTEX, timespec(time.time() + HOUR))


def receive():
    near, far = (one.detach() for one in socket.socketpair())
    return libc.recv(near, ctypes.create_string_buffer(1), 1, 0)


def wait_for_lock():
    held, other = (os.open("/tmp/lock", os.O_RDWR | os.O_CREAT) for _ in range(2))
    fcntl.flock(held, fcntl.LOCK_EX)
    return libc.flock(other, fcntl.LOCK_EX)


# Not those that end with EINTR under SIGSTOP as well: epoll_wait, sigtimedwait, recv with SO_RCVTIMEO. Nor connect: what
# waits to be accepted keeps a container awake.
CALLS = {
    "nanosleep": lambda: libc.nanosleep(timespec(HOUR), None),
    "clock_nanosleep": lambda: -libc.clock_nanosleep(1, 0, timespec(HOUR), None),
    "clock_nanosleep to a time": lambda: -libc.clock_nanosleep(1, 1, timespec(time.monotonic() + HOUR), None),
    "sleep": lambda: -libc.sleep(HOUR),
    "poll with a timeout": lambda: libc.poll(*pipe_poll(HOUR * 1000)),
    "poll without end": lambda: libc.poll(*pipe_poll(-1)),
    "ppoll": lambda: libc.ppoll(*pipe_poll(timespec(HOUR)), None),
    "select": lambda: libc.select(0, None, None, None, timespec(HOUR)),
    "pselect": lambda: libc.pselect(0, None, None, None, timespec(HOUR), None),
    "futex with a timeout": lambda: libc.syscall(202, ctypes.byref(FUTEX), 0, 0, timespec(HOUR), None, 0),
    "futex to a time": lambda: libc.syscall(202, ctypes.byref(FUTEX), 9, 0, timespec(time.monotonic() + HOUR), None, -1),
    "futex without end": lambda: libc.syscall(202, ctypes.byref(FUTEX), 0, 0, None, None, 0),
    "sem_timedwait": lambda: libc.sem_timedwait(SEMAPHORE, timespec(time.time() + HOUR)),
    "sem_wait": lambda: libc.sem_wait(SEMAPHORE),
    "pthread_cond_timedwait": condition_wait,
    "recv": receive,
    "read of a pipe": lambda: libc.read(os.pipe()[0], ctypes.create_string_buffer(1), 1),
    "wait for a child": lambda: libc.waitpid(CHILD, None, 0),
    "sigsuspend": lambda: libc.sigsuspend(ctypes.create_string_buffer(128)),
    "pause": lambda: libc.pause(),
    "flock": wait_for_lock,
}


CHILD = 0


class Call(Kind):
    def __init__(self, call, volume):
        self.call, self.holds = call, f"{call}, under way"
        self.returned = []
        super().__init__(volume)

    def take(self):
        global CHILD
        if not CHILD:
            CHILD = os.fork()
            while not CHILD:
                signal.pause()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        ctypes.set_errno(0)
        result = CALLS[self.call]()
        code = ctypes.get_errno()
        self.returned.append((result, os.strerror(code) if isinstance(result, int) and result < 0 else ""))

    def look(self, n):
        yield "what it returned", [], self.returned


class RelativeTimeout(Kind):
    """A call that is under way over a sleep, and whose time comes between sleeps: it returns what it would have."""

    holds = "nanosleep that ends between two sleeps"
    asleep = "time passes"

    def take(self):
        self.returned = []
        self.begin = time.monotonic()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        for _ in range(5):
            begin = time.monotonic()
            code = libc.nanosleep(timespec(2), None)
            self.returned.append((code, time.monotonic() - begin >= 2))

    def look(self, n):
        yield "what is wrong with what it returned", [], [one for one in self.returned if one != (0, True)]


KINDS = [functools.partial(Call, call) for call in CALLS] + [RelativeTimeout]
