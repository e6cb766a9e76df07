"""With `clock: stopped` clocks that count from the node's start stand still while a container sleeps; the wall's go on."""

import ctypes
import functools
import os
import select
import signal
import struct
import time

from groups import clocks
from kind import Kind

libc = ctypes.CDLL(None, use_errno=True)
# How long each sleep lasts at least. What is left of a timer is read at another moment of the dump than its clock.
SLEEP = 4


class Clock(clocks.Clock):
    def disturb(self, n):
        if self.clock == "MONOTONIC":
            time.sleep(SLEEP)
        return ()

    def look(self, n):
        wall, clock, uptime = (now - begin for now, begin in zip(self.now(), self.begin))
        yield "it goes on from where it was", True, clock >= 0
        yield "the sleep is not in it", True, wall - clock >= SLEEP * n
        if self.clock == "BOOTTIME":
            yield "/proc/uptime is of the same clock", True, abs(uptime - clock) < 0.5


def pack(interval, first):
    return struct.pack("qqqq", int(interval), int(interval % 1 * 1e9), int(first), int(first % 1 * 1e9))


class Timer(Kind):
    """What is left of it, beside the clock that it counts by."""

    asleep = "time passes"

    def __init__(self, what, clock, volume):
        self.what, self.clock = what, clock
        self.holds = f"{what} of {'CLOCK_REALTIME' if clock == 0 else 'a stopped clock'}"
        super().__init__(volume)

    def take(self):
        self.end = time.clock_gettime(self.clock) + 3000
        if self.what == "a timerfd":
            self.descriptor = libc.timerfd_create(self.clock, os.O_NONBLOCK)
            libc.timerfd_settime(self.descriptor, 1, pack(0, self.end), None)
        elif self.what == "a timer":
            self.timer = ctypes.c_void_p()
            number = signal.SIGRTMIN + 10
            signal.signal(number, signal.SIG_IGN)
            if libc.timer_create(self.clock, struct.pack("qii48x", 0, number, 0), ctypes.byref(self.timer)):
                raise OSError(ctypes.get_errno(), "timer_create")
            libc.timer_settime(self.timer, 1, pack(0, self.end), None)
        else:
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            signal.setitimer(signal.ITIMER_REAL, 3000)

    def left(self):
        if self.what == "a setitimer":
            return signal.getitimer(signal.ITIMER_REAL)[0]
        buffer = ctypes.create_string_buffer(32)
        if self.what == "a timerfd":
            libc.timerfd_gettime(self.descriptor, buffer)
        else:
            libc.timer_gettime(self.timer, buffer)
        seconds, rest = struct.unpack("qqqq", buffer.raw)[2:]
        return seconds + rest / 1e9

    def look(self, n):
        late = time.clock_gettime(self.clock) + self.left() - self.end
        # The dump reads timers of the wall's clock before it knows since when the container has slept.
        yield "it comes due when its clock is there, and not by the sleep later", True, -0.01 < late < SLEEP * n / 2


class Unread(Kind):
    holds = "a timerfd that has fired once and was not read"
    asleep = "time passes"

    def take(self):
        self.descriptor = libc.timerfd_create(1, os.O_NONBLOCK)
        self.arm()

    def arm(self):
        libc.timerfd_settime(self.descriptor, 0, pack(3000, 0.01), None)
        select.select([self.descriptor], [], [])

    def look(self, n):
        yield "it is ready", [self.descriptor], select.select([self.descriptor], [], [], 0)[0]
        yield "it has fired once", 1, int.from_bytes(os.read(self.descriptor, 8), "little")
        self.arm()


KINDS = [functools.partial(Clock, clock) for clock in clocks.CLOCKS if clock != "REALTIME"] + [
    functools.partial(Timer, "a timerfd", 1), functools.partial(Timer, "a timerfd", 0), functools.partial(Timer, "a timer", 1),
    functools.partial(Timer, "a timer", 0), functools.partial(Timer, "a setitimer", 1), Unread]
