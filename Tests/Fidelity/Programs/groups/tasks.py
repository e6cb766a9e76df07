"""What the kernel keeps of each process and thread besides what it has open."""

import ctypes
import functools
import os
import queue
import resource
import signal
import subprocess
import threading
import time

from kind import Kind, NotHere

libc = ctypes.CDLL(None, use_errno=True)
IOPRIO_SET, IOPRIO_GET, KEYCTL, ADD_KEY = 251, 252, 250, 248


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


class Attribute(Kind):
    """Set in a thread of its own, and asked of it again after each wake."""

    def __init__(self, owner, what, set_it, get_it, volume):
        self.holds, self.set_it, self.get_it = f"{what} of a {owner}", set_it, get_it
        super().__init__(volume)

    def take(self):
        self.questions, self.answers = queue.SimpleQueue(), queue.SimpleQueue()
        threading.Thread(target=self.run, daemon=True).start()
        error = self.ask(self.set_it)
        if isinstance(error, OSError):
            raise NotHere(str(error))
        self.before = self.ask(self.get_it)

    def run(self):
        while True:
            try:
                self.answers.put(self.questions.get()())
            except Exception as error:
                self.answers.put(error)

    def ask(self, question):
        self.questions.put(question)
        return self.answers.get(timeout=20)

    def look(self, n):
        yield "value", self.before, self.ask(self.get_it)


def status(*fields):
    lines = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/thread-self/status") if ":\t" in line)
    return {field: lines[field] for field in fields}


def limits():
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, 1000))
    resource.setrlimit(resource.RLIMIT_STACK, (3 << 20, 5 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMAX, signal.SIGRTMAX - 1})
    signal.pthread_kill(threading.get_ident(), signal.SIGRTMAX)


def key():
    call(KEYCTL, 1, b"fidelity")  # KEYCTL_JOIN_SESSION_KEYRING
    call(ADD_KEY, b"user", b"own", b"secret", 6, -3)


def key_seen():
    buffer = ctypes.create_string_buffer(100)
    try:
        number = call(KEYCTL, 10, -3, b"user", b"own", 0)  # KEYCTL_SEARCH
        call(KEYCTL, 11, number, buffer, 100)  # KEYCTL_READ
        return buffer.value
    except OSError as error:
        return error.strerror


def prctl_value(option):
    value = ctypes.c_int()
    libc.prctl(option, ctypes.byref(value))
    return value.value


OF_A_THREAD = [
    ("the affinity", lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}), lambda: os.sched_getaffinity(0)),
    ("the I/O priority", lambda: call(IOPRIO_SET, 1, 0, 2 << 13 | 3), lambda: call(IOPRIO_GET, 1, 0)),
    ("the timer slack", lambda: libc.prctl(29, 123_456), lambda: libc.prctl(30)),
    ("the nice value", lambda: os.setpriority(os.PRIO_PROCESS, 0, 5), lambda: os.getpriority(os.PRIO_PROCESS, 0)),
    ("the scheduling policy", lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
     lambda: os.sched_getscheduler(0)),
    ("the name", lambda: libc.prctl(15, b"thread-name"), lambda: open("/proc/thread-self/comm").read()),
    ("signals blocked and pending", signals, lambda: status("SigBlk", "SigPnd")),
    ("PR_SET_NO_NEW_PRIVS", lambda: libc.prctl(38, 1, 0, 0, 0), lambda: status("NoNewPrivs")),
    ("the effective capabilities", lambda: None, lambda: status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")),
    ("user and group", lambda: call(117, 0, 12, 0), lambda: status("Uid", "Gid", "Groups")),
    ("PR_SET_PDEATHSIG", lambda: libc.prctl(1, 10), lambda: prctl_value(2)),
]


OF_THE_PROCESS = [
    ("the limits", limits, lambda: open("/proc/self/limits").read()),
    ("the umask", lambda: os.umask(0o027), lambda: status("Umask")),
    ("the filter of core dumps", lambda: open("/proc/self/coredump_filter", "w").write("0x7"),
     lambda: open("/proc/self/coredump_filter").read()),
    ("the OOM score", lambda: open("/proc/self/oom_score_adj", "w").write("777"),
     lambda: open("/proc/self/oom_score_adj").read()),
    ("PR_SET_CHILD_SUBREAPER", lambda: libc.prctl(36, 1), lambda: prctl_value(37)),
    ("PR_SET_DUMPABLE", lambda: libc.prctl(4, 0), lambda: libc.prctl(3)),
    ("PR_SET_THP_DISABLE", lambda: libc.prctl(41, 1, 0, 0, 0), lambda: libc.prctl(42, 0, 0, 0, 0)),
    ("ignored and handled signals", lambda: None, lambda: status("SigIgn", "SigCgt")),
    ("the login uid", lambda: None, lambda: open("/proc/self/loginuid").read()),
]


class Zombie(Kind):
    holds = "a zombie that was not waited for"

    def take(self):
        self.children = [subprocess.Popen(["sh", "-c", f"exit {code}"]) for code in (1, 2, 3)]
        for child in self.children:
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    def look(self, n):
        yield "its status", n, self.children[n - 1].wait(20)


class Session(Kind):
    holds = "a process in a session and group of its own"

    def take(self):
        self.child = subprocess.Popen(["sleep", "1000000"], start_new_session=True)
        self.before = self.ids()

    def ids(self):
        fields = open(f"/proc/{self.child.pid}/stat").read().rsplit(")", 1)[1].split()
        return fields[1:4]

    def look(self, n):
        yield "parent, group, session", self.before, self.ids()


class Orphan(Kind):
    """Its parent has ended, so that its parent is the container's first process."""

    holds = "an orphan"

    def take(self):
        self.pid = int(subprocess.check_output(["sh", "-c", "sleep 1000000 >/dev/null 2>&1 & echo $!"]))

    def look(self, n):
        yield "its parent", "1", open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()[1]


class Stopped(Kind):
    holds = "a stopped process"

    def take(self):
        self.child = subprocess.Popen(["sleep", "1000000"])
        os.kill(self.child.pid, signal.SIGSTOP)
        os.waitpid(self.child.pid, os.WUNTRACED)

    def state(self):
        return open(f"/proc/{self.child.pid}/stat").read().rsplit(")", 1)[1].split()[0]

    def look(self, n):
        # Whoever calls is served before CRIU has let go of all processes, which it traces (t) until then, and lets go with a
        # SIGSTOP that they take (R) before anything else. One that went on would be seen asleep (S).
        end = time.monotonic() + 20
        while self.state() in ("t", "R") and time.monotonic() < end:
            time.sleep(0.01)
        yield "state", "T", self.state()


class PidDescriptor(Kind):
    holds = "a pidfd"

    def take(self):
        self.child = subprocess.Popen(["sleep", "1000000"])
        self.descriptor = os.pidfd_open(self.child.pid)

    def look(self, n):
        signal.pidfd_send_signal(self.descriptor, 0)
        lines = dict(line.rstrip().split(":\t") for line in open(f"/proc/self/fdinfo/{self.descriptor}"))
        yield "pid", str(self.child.pid), lines["Pid"]


class Procfs(Kind):
    """Files of /proc belong to a process, which is another one after the wake."""

    def __init__(self, path, volume):
        self.file, self.holds = path, f"{path}, open"
        super().__init__(volume)

    def take(self):
        self.descriptor = os.open(self.file.replace("PID", str(os.getpid())), os.O_RDONLY)

    def look(self, n):
        yield "contents", True, len(os.pread(self.descriptor, 4096, 0)) > 2


KINDS = (
    [Zombie, Session, Orphan, Stopped, PidDescriptor]
    + [functools.partial(Procfs, path) for path in ("/proc/self/stat", "/proc/PID/maps", "/proc/meminfo", "/proc/sys/kernel/hostname")]
    + [functools.partial(Attribute, "thread", *one) for one in OF_A_THREAD]
    + [functools.partial(Attribute, "process", *one) for one in OF_THE_PROCESS]
)
