"""What CRIU cannot give back, or gives back weaker than it was. The container is frozen with that as the reason, which
`refusal` finds, or else it is as before. Each kind has a container of its own."""

import ctypes
import errno
import fcntl
import functools
import mmap
import os
import pty
import struct
import termios
import threading

from groups.locks import RefusedLock, RefusedWaiter
from groups.places import Child
from groups.tasks import ADD_KEY, KEYCTL, Attribute, key, key_seen
from kind import Kind, NotHere

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise NotHere(f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


def pages(protection=3):
    return libc.mmap(None, 4 * mmap.PAGESIZE, protection, 0x22, -1, 0)


def of_mapping(address, field):
    """A field of /proc/self/smaps."""
    found = False
    for line in open("/proc/self/smaps"):
        first, *rest = line.split()
        if "-" in first:
            begin, end = (int(word, 16) for word in first.split("-"))
            found = begin <= address < end
        elif found and first == field + ":":
            return rest


class IoUring(Kind):
    holds = "an io_uring"
    refusal = "io_uring"

    def take(self):
        self.descriptor = call(425, 4, ctypes.create_string_buffer(120))

    def look(self, n):
        yield "link", "anon_inode:[io_uring]", os.readlink(f"/proc/self/fd/{self.descriptor}")
        yield "submitting nothing", 0, libc.syscall(426, self.descriptor, 0, 0, 0, None, 0)


class Userfaultfd(Kind):
    holds = "a userfaultfd"
    refusal = "userfaultfd"

    def take(self):
        self.descriptor = call(323, os.O_NONBLOCK | 1)
        fcntl.ioctl(self.descriptor, 0xC018AA3F, struct.pack("QQQ", 0xAA, 0, 0))
        self.address = pages()
        fcntl.ioctl(self.descriptor, 0xC020AA00, struct.pack("QQQQ", self.address, 4 * mmap.PAGESIZE, 1, 0))

    def look(self, n):
        yield "registered", True, "um" in of_mapping(self.address, "VmFlags")


class ProtectionKey(Kind):
    holds = "a memory protection key"
    refusal = "protection key|pkey"

    def take(self):
        self.key = call(330, 0, 2)
        self.address = pages()
        call(329, ctypes.c_void_p(self.address), mmap.PAGESIZE, 3, self.key)

    def look(self, n):
        yield "key of the page", [str(self.key)], of_mapping(self.address, "ProtectionKey")


class WriteAndExecute(Kind):
    holds = "PR_SET_MDWE"
    refusal = "MDWE|write and exec|memory.deny"

    def take(self):
        self.child = Child()
        if self.child.ask("__import__('ctypes').CDLL(None).prctl(65, 1, 0, 0, 0)") != "0":
            raise NotHere("prctl(PR_SET_MDWE)")

    def look(self, n):
        yield "PR_GET_MDWE", "1", self.child.ask("__import__('ctypes').CDLL(None).prctl(66, 0, 0, 0, 0)")


class MemoryPolicy(Kind):
    holds = "a memory policy"
    refusal = "memory policy"

    def take(self):
        self.child = Child()
        nodes = "(__import__('ctypes').c_ulong * 1)(1)"
        if self.child.ask(f"__import__('ctypes').CDLL(None).syscall(238, 2, {nodes}, 8)") != "0":
            raise NotHere("set_mempolicy")

    def look(self, n):
        yield "policy", "bind:0", self.child.ask("open('/proc/self/numa_maps').readline().split()[1]")


class Speculation(Kind):
    holds = "speculation control"
    refusal = "speculation"

    def take(self):
        self.child = Child()
        if self.child.ask("__import__('ctypes').CDLL(None).prctl(53, 0, 4, 0, 0)") != "0":
            raise NotHere("prctl(PR_SET_SPECULATION_CTRL)")

    def look(self, n):
        yield "PR_GET_SPECULATION_CTRL", "5", self.child.ask("__import__('ctypes').CDLL(None).prctl(52, 0, 0, 0, 0)")


class Sealed(Kind):
    holds = "a mapping that is sealed by mseal"
    refusal = "mseal|seal"

    def take(self):
        self.address = pages()
        call(462, ctypes.c_void_p(self.address), ctypes.c_size_t(mmap.PAGESIZE), 0)

    def look(self, n):
        result = libc.mprotect(ctypes.c_void_p(self.address), ctypes.c_size_t(mmap.PAGESIZE), 1)
        yield "mprotect", (-1, errno.EPERM), (result, ctypes.get_errno() if result else 0)


class SystemV(Kind):
    holds = "System V shared memory"

    def take(self):
        libc.shmat.restype = ctypes.c_void_p
        number = libc.shmget(0x4711, 1 << 16, 0o1600)
        self.memory = ctypes.c_int.from_address(libc.shmat(number, None, 0))

    def look(self, n):
        self.memory.value += 1
        yield "count", n, self.memory.value


class Namespace(Kind):
    """As sandboxes make them for their children."""

    refusal = "namespace"

    def __init__(self, flags, what, volume):
        self.flags, self.holds = flags, f"a child with {what} of its own"
        super().__init__(volume)

    def take(self):
        self.child = Child()
        if self.child.ask(f"__import__('ctypes').CDLL(None).unshare({self.flags})") != "0":
            raise NotHere("unshare")
        self.before = self.links()

    def links(self):
        kinds = ("mnt", "user", "net", "uts", "ipc")
        me, child = ({kind: os.readlink(f"/proc/{who}/ns/{kind}") for kind in kinds} for who in ("self", self.child.process.pid))
        return [kind for kind in kinds if me[kind] != child[kind]]

    def look(self, n):
        yield "namespaces that differ", self.before, self.links()
        yield "answer", "4", self.child.ask("2 + 2")


class SecretMemory(Kind):
    holds = "a memfd_secret"
    refusal = "secretmem|memfd_secret"

    def take(self):
        self.descriptor = call(447, 0)
        os.ftruncate(self.descriptor, 4096)
        self.mapping = mmap.mmap(self.descriptor, 4096)
        self.mapping[:6] = b"secret"

    def look(self, n):
        yield "contents", b"secret", self.mapping[:6]


class HugePages(Kind):
    holds = "a memfd of huge pages"
    refusal = "huge"

    def take(self):
        self.descriptor = os.memfd_create("huge", os.MFD_HUGETLB)
        try:
            os.ftruncate(self.descriptor, 2 << 20)
            self.mapping = mmap.mmap(self.descriptor, 2 << 20)
        except OSError as error:
            raise NotHere(str(error)) from error
        self.mapping[:4] = b"huge"

    def look(self, n):
        yield "contents", b"huge", self.mapping[:4]


class Reserved(Kind):
    """Addresses locked as soon as they are touched, of which hardly any is touched."""

    holds = "memory locked on fault"
    refusal = "on.?fault|locked"

    def take(self):
        self.mapping = mmap.mmap(-1, 4 << 20)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.mapping))
        if libc.mlock2(ctypes.c_void_p(self.address), ctypes.c_size_t(4 << 20), 1):
            raise OSError(ctypes.get_errno(), "mlock2")
        self.mapping[0] = 1

    def look(self, n):
        resident = int(of_mapping(self.address, "Rss")[0])
        yield "resident memory below 1 MiB", True, resident < 1024
        yield "locked", True, "lo" in of_mapping(self.address, "VmFlags")


class ReaderOfTerminal(Kind):
    """A shell on a terminal, as sshd starts it: it waits for the next line, and goes on waiting."""

    holds = "a controlling terminal that is read from"
    refusal = "a terminal controls"

    def take(self):
        shell = "import sys\nfor line in sys.stdin: print('heard ' + line, end='', flush=True)"
        self.child, self.master = pty.fork()
        if not self.child:
            mode = termios.tcgetattr(0)
            mode[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, mode)
            print("ready", flush=True)
            os.execvp("python3", ["python3", "-c", shell])
        self.terminal = os.fdopen(self.master, "r")
        self.terminal.readline()
        self.look_at("0")

    def look_at(self, word):
        os.write(self.master, word.encode() + b"\n")
        return self.terminal.readline().strip()

    def look(self, n):
        yield "an answer", f"heard {n}", self.look_at(f"{n}")


class Landlock(Kind):
    holds = "a landlock domain"
    refusal = "landlock"

    def take(self):
        attributes = struct.pack("Q", 1 << 2)  # LANDLOCK_ACCESS_FS_READ_FILE
        call(444, None, 0, 1)
        self.child = Child()
        rules = (
            "[l := __import__('ctypes').CDLL(None), l.prctl(38, 1, 0, 0, 0), "
            f"l.syscall(446, l.syscall(444, {attributes!r}, 8, 0), 0)][-1]")
        if self.child.ask(rules) != "0":
            raise NotHere("landlock_restrict_self")

    def look(self, n):
        answer = self.child.ask("os.system('cat /etc/passwd >/dev/null 2>&1') != 0")
        yield "a file cannot be read", "True", answer


class FutureLocks(Kind):
    holds = "mlockall(MCL_FUTURE)"
    refusal = "mlockall"

    def take(self):
        self.child = Child()
        if self.child.ask("__import__('ctypes').CDLL(None).mlockall(2)") != "0":
            raise NotHere("mlockall")

    def look(self, n):
        locked = (
            "[m := __import__('mmap').mmap(-1, 4096), m.write(b'x'), "
            "sum(' lo ' in line for line in open('/proc/self/smaps'))][-1] > 0")
        yield "a new mapping is locked", "True", self.child.ask(locked)


class UndoneSemaphore(Kind):
    """The kernel gives back what a process that ends has taken with SEM_UNDO."""

    holds = "a System V semaphore taken with SEM_UNDO"
    refusal = "semaphore"

    def take(self):
        self.number = libc.semget(0, 1, 0o600)
        libc.semctl(self.number, 0, 16, 1)  # SETVAL
        operation = struct.pack("Hhh", 0, -1, 0x1000)
        if libc.semop(self.number, operation, 1):
            raise NotHere("semop")

    def look(self, n):
        yield "value", 0, libc.semctl(self.number, 0, 12)  # GETVAL


class Refused(Attribute):
    def __init__(self, owner, what, refusal, set_it, get_it, volume):
        self.refusal = refusal
        super().__init__(owner, what, set_it, get_it, volume)


def unshare(flags):
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def own_key(keyring):
    return call(ADD_KEY, b"user", b"own", b"secret", 6, keyring)


def own_key_seen(keyring):
    try:
        return call(KEYCTL, 10, keyring, b"user", b"own", 0) > 0  # KEYCTL_SEARCH
    except NotHere as error:
        return str(error)


def own_directory():
    unshare(0x200)  # CLONE_FS
    os.chdir("/etc")


def own_descriptor():
    unshare(0x400)  # CLONE_FILES
    os.dup2(os.open("/etc/passwd", os.O_RDONLY), 700)


def opened(number):
    try:
        return os.readlink(f"/proc/thread-self/fd/{number}")
    except OSError as error:
        return error.strerror


class Supervised(Attribute):
    """Another thread answers for getppid(2) of this one."""

    refusal = "seccomp"

    def __init__(self, volume):
        super().__init__("thread", "a supervised system call", self.install, lambda: libc.syscall(110), volume)

    def install(self):
        instructions = ((0x20, 0, 0, 0), (0x15, 0, 1, 110), (0x06, 0, 0, 0x7FC00000), (0x06, 0, 0, 0x7FFF0000))
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions), 32)
        program = struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code))
        libc.prctl(38, 1, 0, 0, 0)
        self.listener = call(317, 1, 8, program)  # SECCOMP_FILTER_FLAG_NEW_LISTENER
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        while True:
            notification = bytearray(80)
            try:
                fcntl.ioctl(self.listener, 0xC0502100, notification)
            except InterruptedError:
                continue
            number = struct.unpack_from("Q", notification)[0]
            fcntl.ioctl(self.listener, 0xC0182101, struct.pack("QqiI", number, 4711, 0, 0))


HIDDEN = [
    ("thread", "the session keyring", "session keyring", key, key_seen),
    ("thread", "a keyring", "keyring for one of its threads", lambda: own_key(-1), lambda: own_key_seen(-1)),
    ("process", "a keyring", "keyring for itself", lambda: own_key(-2), lambda: own_key_seen(-2)),
    ("thread", "a working directory", "working directory", own_directory, os.getcwd),
    ("thread", "a table of descriptors", "descriptors of its own", own_descriptor, lambda: opened(700)),
    ("thread", "a network namespace", "namespace", lambda: unshare(0x40000000),
     lambda: os.readlink("/proc/thread-self/ns/net")),
]


KINDS = [
    Reserved, ReaderOfTerminal, IoUring, Userfaultfd, ProtectionKey, WriteAndExecute, MemoryPolicy, Speculation, Sealed,
    SystemV, SecretMemory, HugePages, Landlock, FutureLocks, UndoneSemaphore, Supervised
] + [
    functools.partial(Refused, *one) for one in HIDDEN
] + [
    functools.partial(RefusedLock, "POSIX", True), functools.partial(RefusedWaiter, "POSIX")
] + [
    functools.partial(Namespace, flags, what) for flags, what in (
        (0x10000000 | 0x20000, "a user and a mount namespace"), (0x20000, "a mount namespace"),
        (0x40000000, "a network namespace"))
]
