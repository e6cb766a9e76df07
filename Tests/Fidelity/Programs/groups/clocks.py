"""Clocks go on while a container sleeps: a deadline that has passed has passed, as under SIGSTOP."""

import ctypes
import functools
import signal
import struct
import threading
import time

from kind import Kind

libc = ctypes.CDLL(None, use_errno=True)
CLOCKS = {"REALTIME": 0, "MONOTONIC": 1, "BOOTTIME": 7, "MONOTONIC_RAW": 4, "MONOTONIC_COARSE": 6}
PAST = 2


class Clock(Kind):
    """Beside that of somebody who was awake."""

    asleep = "time passes"

    def __init__(self, clock, volume):
        self.clock, self.holds = clock, f"CLOCK_{clock}"
        super().__init__(volume)

    def take(self):
        self.begin = self.now()

    def now(self):
        return time.time(), time.clock_gettime(CLOCKS[self.clock]), float(open("/proc/uptime").read().split()[0])

    def disturb(self, n):
        if n == 1 and self.clock == "REALTIME":
            time.sleep(PAST + 1)
        return ()

    def look(self, n):
        wall, clock, uptime = (now - begin for now, begin in zip(self.now(), self.begin))
        yield "it has run as long as the wall clock", True, abs(clock - wall) < 0.5
        yield "/proc/uptime has run as long", True, abs(uptime - wall) < 0.5


class Timer(Kind):
    asleep = "its time passes"

    def __init__(self, what, volume):
        self.what, self.holds = what, what
        self.fired = threading.Event()
        super().__init__(volume)

    def take(self):
        if self.what == "a setitimer":
            signal.signal(signal.SIGALRM, lambda *_: self.fired.set())
            signal.setitimer(signal.ITIMER_REAL, PAST)
        elif self.what == "a Python timer":
            timer = threading.Timer(PAST, self.fired.set)
            timer.daemon = True
            timer.start()
        else:
            clock = CLOCKS[self.what.split("_")[-1]]
            self.number = signal.SIGRTMIN + clock
            signal.signal(self.number, lambda *_: self.fired.set())
            event = struct.pack("qii48x", 0, self.number, 0)
            self.timer = ctypes.c_void_p()
            if libc.timer_create(clock, event, ctypes.byref(self.timer)):
                raise OSError(ctypes.get_errno(), "timer_create")
            end = time.clock_gettime(clock) + PAST
            libc.timer_settime(self.timer, 1, struct.pack("qqqq", 0, 0, int(end), int(end % 1 * 1e9)), None)

    def look(self, n):
        # Handlers run in the main thread, which serves: its accept is what they interrupt.
        yield "it has fired", True, self.fired.wait(20)


class LongTimer(Kind):
    """What is left of a timer that does not fire."""

    holds = "a setitimer of processor time"
    asleep = "time passes"

    def take(self):
        signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_VIRTUAL, 1000, 500)

    def look(self, n):
        left, interval = signal.getitimer(signal.ITIMER_VIRTUAL)
        yield "interval", 500.0, interval
        # The kernel adds a tick to what is set (set_cpu_itimer in kernel/time/itimer.c).
        yield "what is left", True, 900 < left < 1001


KINDS = [functools.partial(Clock, clock) for clock in CLOCKS] + [
    functools.partial(Timer, what) for what in (
        "a setitimer", "a Python timer", "a timer of CLOCK_REALTIME", "a timer of CLOCK_MONOTONIC",
        "a timer of CLOCK_BOOTTIME")
] + [LongTimer]
