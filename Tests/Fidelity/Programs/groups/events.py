"""epoll, inotify, timerfd, signalfd: descriptors that tell of events."""

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
# Before there is any thread, so that none ends the process by them.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})


class Watch(Kind):
    """inotify, whose events are read after the wake."""

    def __init__(self, what, change, volume):
        self.what, self.asleep, self.holds = what, change, f"an inotify watch of {what}"
        super().__init__(volume)

    def take(self):
        os.mkdir(self.path)
        with open(self.path + "/entry", "w") as file:
            file.write("text")
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        target = self.path if self.what == "a directory" else self.path + "/entry"
        libc.inotify_add_watch(self.descriptor, target.encode(), 0x0FC6)  # all but reading, opening and closing

    def disturb(self, n):
        match self.asleep:
            case "a file is made":
                open(f"{self.path}/new-{n}", "w").close()
            case "a file is written":
                with open(self.path + "/entry", "a") as file:
                    file.write("more")
            case "it is renamed" if n == 1:
                os.rename(self.path, self.path + "-renamed")
            case "it is removed" if n == 1:
                os.unlink(self.path + "/entry")
                if self.what == "a directory":
                    os.rmdir(self.path)
        return ()

    def look(self, n):
        masks, data = set(), b""
        try:
            data = os.read(self.descriptor, 8192)
        except BlockingIOError:
            pass
        while data:
            _, mask, _, length = struct.unpack_from("iIII", data)
            masks |= {bit for bit in EVENTS if mask & bit}
            data = data[16 + length :]
        expected = {
            "a file is made": {0x100}, "a file is written": {0x2}, "nothing": set(),
            "it is renamed": {0x800} if n == 1 else set(),
            "it is removed": ({0x200, 0x400} if self.what == "a directory" else {0x4, 0x400}) if n == 1 else set(),
        }[self.asleep]
        yield "events", sorted(EVENTS[bit] for bit in expected), sorted(EVENTS[bit] for bit in masks)


EVENTS = {
    0x2: "IN_MODIFY", 0x4: "IN_ATTRIB", 0x40: "IN_MOVED_FROM", 0x80: "IN_MOVED_TO", 0x100: "IN_CREATE",
    0x200: "IN_DELETE", 0x400: "IN_DELETE_SELF", 0x800: "IN_MOVE_SELF",
}


def timerfd(clock, flags, first, interval):
    def nanoseconds(seconds):
        return int(seconds), int(seconds % 1 * 1e9)

    descriptor = libc.timerfd_create(clock, os.O_NONBLOCK)
    libc.timerfd_settime(descriptor, flags, struct.pack("qqqq", *nanoseconds(interval), *nanoseconds(first)), None)
    return descriptor


def expirations(descriptor):
    """How often it has fired since it was read; waits for the first time."""
    if not select.select([descriptor], [], [], 20)[0]:
        return 0
    return int.from_bytes(os.read(descriptor, 8), "little")


class Ticker(Kind):
    """A thread reads it each time, as event loops do."""

    def __init__(self, interval, volume):
        self.interval, self.holds = interval, f"a timerfd that fires every {interval * 1000:g} ms"
        super().__init__(volume)

    def take(self):
        self.count, self.more = 0, threading.Condition()
        self.descriptor = timerfd(1, 0, self.interval, self.interval)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            times = expirations(self.descriptor)
            with self.more:
                self.count += times
                self.more.notify_all()

    def look(self, n):
        with self.more:
            before = self.count
            yield "it fires", True, self.more.wait_for(lambda: self.count > before + 2, 20)


class Unread(Kind):
    holds = "a timerfd that has fired and was not read"

    def take(self):
        self.descriptor = timerfd(1, 0, 0.01, 0.01)
        select.select([self.descriptor], [], [])

    def look(self, n):
        yield "it has fired", True, expirations(self.descriptor) > 0
        yield "it fires again", True, expirations(self.descriptor) > 0
        select.select([self.descriptor], [], [], 20)


class Deadline(Kind):
    """Absolute: it passes while the container sleeps, so that the descriptor is ready at the wake."""

    def __init__(self, clock, volume):
        self.clock = clock
        self.holds = f"a timerfd with a deadline of CLOCK_{ {0: 'REALTIME', 1: 'MONOTONIC', 7: 'BOOTTIME'}[clock]}"
        super().__init__(volume)

    asleep = "the deadline passes"

    def take(self):
        self.set(3)
        with open(self.path, "w") as file:
            file.write(str(time.time() + 3))

    def set(self, seconds):
        self.end = time.clock_gettime(self.clock) + seconds
        self.descriptor = timerfd(self.clock, 1, self.end, 0)

    def disturb(self, n):
        # The first sleep lasts longer than the deadline.
        time.sleep(max(0, float(open(self.path).read()) - time.time()))
        return ()

    def look(self, n):
        if n == 1:
            yield "the clock is past the deadline", True, time.clock_gettime(self.clock) >= self.end
            yield "ready", [self.descriptor], select.select([self.descriptor], [], [], 0)[0]
            self.set(3600)
        else:
            yield "ready", [], select.select([self.descriptor], [], [], 0)[0]
            seconds = struct.unpack("qqqq", self.left())[2]
            yield "what is left", True, 3500 <= seconds <= 3600

    def left(self):
        buffer = ctypes.create_string_buffer(32)
        libc.timerfd_gettime(self.descriptor, buffer)
        return buffer.raw


class Epoll(Kind):
    """With one of each: a level and an edge triggered pipe, one that has shot, an eventfd, a timerfd, another epoll."""

    holds = "an epoll of many kinds"

    def take(self):
        self.epoll, self.inner = select.epoll(), select.epoll()
        self.pipes = {name: os.pipe() for name in ("level", "edge", "shot", "removed")}
        self.event = os.eventfd(0, os.EFD_NONBLOCK)
        self.inner.register(self.event, select.EPOLLIN)
        flags = {"level": 0, "edge": select.EPOLLET, "shot": select.EPOLLONESHOT, "removed": 0}
        for name, (reader, _) in self.pipes.items():
            self.epoll.register(reader, select.EPOLLIN | flags[name])
        self.epoll.register(self.inner, select.EPOLLIN)
        for _, writer in self.pipes.values():
            os.write(writer, b"x")
        self.epoll.unregister(self.pipes["removed"][0])
        self.epoll.poll(0)

    def look(self, n):
        ready = dict(self.epoll.poll(0))
        names = {reader: name for name, (reader, _) in self.pipes.items()} | {self.inner.fileno(): "inner"}
        yield "ready", ["level"], sorted(names[one] for one in ready)
        os.write(self.pipes["edge"][1], b"y")
        os.eventfd_write(self.event, 1)
        yield "ready with more data", ["edge", "inner", "level"], sorted(names[one] for one, _ in self.epoll.poll(0))
        os.eventfd_read(self.event)


class SignalDescriptor(Kind):
    holds = "an epoll with a signalfd"

    def take(self):
        mask = struct.pack("Q", 1 << (signal.SIGUSR1 - 1))
        self.descriptor = libc.syscall(289, -1, mask, 8, os.O_NONBLOCK)
        self.epoll = select.epoll()
        self.epoll.register(self.descriptor, select.EPOLLIN)
        self.answers, self.more = [], threading.Condition()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            for descriptor, _ in self.epoll.poll():
                with self.more:
                    self.answers.append(struct.unpack_from("I", os.read(descriptor, 128))[0])
                    self.more.notify_all()

    def look(self, n):
        os.kill(os.getpid(), signal.SIGUSR1)
        with self.more:
            self.more.wait_for(lambda: len(self.answers) >= n, 20)
            yield "signals", [signal.SIGUSR1.value] * n, list(self.answers)


class OwnedSocket(Kind):
    """F_SETOWN and O_ASYNC: the process is told by a signal."""

    holds = "a descriptor with an owner and a signal of its own"

    def take(self):
        self.near, self.far = socket.socketpair()
        fcntl.fcntl(self.near, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(self.near, 10, signal.SIGUSR2.value)  # F_SETSIG
        fcntl.fcntl(self.near, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)

    def look(self, n):
        yield "owner", os.getpid(), fcntl.fcntl(self.near, fcntl.F_GETOWN)
        yield "signal", signal.SIGUSR2.value, fcntl.fcntl(self.near, 11)
        self.far.send(b"x")
        came = signal.sigtimedwait({signal.SIGUSR2}, 20)
        yield "the signal that comes", signal.SIGUSR2.value, came and came.si_signo


KINDS = [SignalDescriptor, OwnedSocket] + [
    functools.partial(Watch, "a directory", change)
    for change in ("nothing", "a file is made", "a file is written", "it is renamed", "it is removed")
] + [
    functools.partial(Watch, "a file", change) for change in ("nothing", "a file is written", "it is removed")
] + [functools.partial(Ticker, interval) for interval in (0.001, 0.002, 0.01, 0.1, 1)] + [
    functools.partial(Deadline, clock) for clock in (0, 1, 7)
] + [Unread, Epoll]
