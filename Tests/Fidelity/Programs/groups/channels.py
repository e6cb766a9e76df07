"""Pipes, fifos, eventfd, shared memory, semaphores, terminals: what processes have among themselves."""

import ctypes
import fcntl
import functools
import multiprocessing
import os
import pty
import struct
import termios

from kind import Kind, NotHere

libc = ctypes.CDLL(None, use_errno=True)
F_SETPIPE_SZ, F_GETPIPE_SZ = 1031, 1032


class Pipe(Kind):
    holds = "a pipe with unread data"

    def take(self):
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, F_SETPIPE_SZ, 256 << 10)
        os.write(self.writer, b"x" * 100_000)

    def look(self, n):
        yield "size", 256 << 10, fcntl.fcntl(self.reader, F_GETPIPE_SZ)
        os.write(self.writer, b"y" * 1000)
        length = struct.unpack("i", fcntl.ioctl(self.reader, termios.FIONREAD, b"\0" * 4))[0]
        yield "bytes in it", 101_000, length
        yield "first", b"x" * 1000, os.read(self.reader, 1000)


class PacketPipe(Kind):
    holds = "a pipe of packets (O_DIRECT)"

    def take(self):
        self.reader, self.writer = os.pipe2(os.O_DIRECT)
        for text in (b"one", b"two", b"three"):
            os.write(self.writer, text)

    def look(self, n):
        yield f"packet {n}", (b"one", b"two", b"three")[n - 1], os.read(self.reader, 100)


class Fifo(Kind):
    holds = "a fifo"

    def __init__(self, change, volume):
        self.asleep = change
        super().__init__(volume)

    def take(self):
        os.mkfifo(self.path)
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        os.write(self.descriptor, b"before ")
        self.inode = os.fstat(self.descriptor).st_ino

    def meet(self):
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)

    def disturb(self, n):
        if self.asleep == "it is written":
            os.write(self.descriptor, b"asleep")
        elif n == 1:
            os.unlink(self.path)
            if self.asleep == "its name becomes a symbolic link":
                os.symlink("/etc/passwd", self.path)
            if self.asleep == "it is replaced":
                os.mkfifo(self.path)
        return ()

    def look(self, n):
        yield "inode", self.inode, os.fstat(self.descriptor).st_ino
        text = b"before " if n == 1 else b"looked "
        yield "data", text + (b"asleep" if self.asleep == "it is written" else b""), os.read(self.descriptor, 1000)
        os.write(self.descriptor, b"looked ")


class Eventfd(Kind):
    def __init__(self, flags, volume):
        self.flags = flags
        self.holds = "an eventfd" + (" that is a semaphore" if flags & os.EFD_SEMAPHORE else "")
        super().__init__(volume)

    def take(self):
        self.descriptor = os.eventfd(7, self.flags | os.EFD_NONBLOCK)

    def look(self, n):
        if self.flags & os.EFD_SEMAPHORE:
            yield "value", 1, os.eventfd_read(self.descriptor)
        else:
            yield "value", 7, os.eventfd_read(self.descriptor)
            os.eventfd_write(self.descriptor, 7)


class Memfd(Kind):
    holds = "a sealed memfd"

    def take(self):
        self.descriptor = os.memfd_create("data", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, 1 << 20)
        os.pwrite(self.descriptor, b"hello", 500_000)
        self.seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, self.seals)

    def look(self, n):
        yield "seals", self.seals, fcntl.fcntl(self.descriptor, fcntl.F_GET_SEALS)
        yield "size", 1 << 20, os.fstat(self.descriptor).st_size
        yield "contents", b"hello", os.pread(self.descriptor, 5, 500_000)
        yield "name", "/memfd:data (deleted)", os.readlink(f"/proc/self/fd/{self.descriptor}")


class NamedSemaphore(Kind):
    holds = "a named semaphore"

    def __init__(self, unlinked, volume):
        self.asleep = "nothing" if not unlinked else "nothing; its name was removed before"
        self.unlinked = unlinked
        super().__init__(volume)

    def take(self):
        libc.sem_open.restype = ctypes.c_void_p
        name = b"/unlinked" if self.unlinked else b"/named"
        self.semaphore = ctypes.c_void_p(libc.sem_open(name, os.O_CREAT, 0o600, 3))
        if self.unlinked:
            libc.sem_unlink(name)
        self.value = 3

    def look(self, n):
        value = ctypes.c_int()
        libc.sem_trywait(self.semaphore)
        libc.sem_getvalue(self.semaphore, ctypes.byref(value))
        yield "value", 3 - n, value.value


class Pool(Kind):
    holds = "a pool of Python's multiprocessing"

    def take(self):
        self.pool = multiprocessing.get_context("fork").Pool(3)
        self.pool.map(abs, range(10))

    def look(self, n):
        yield "answers", [n, 2 * n], self.pool.map_async(abs, [-n, -2 * n]).get(20)


class Queue(Kind):
    holds = "a queue of Python's multiprocessing with something in it"

    def take(self):
        self.queue = multiprocessing.get_context("fork").Queue()
        self.queue.put(0)

    def look(self, n):
        yield "the item", n - 1, self.queue.get(timeout=20)
        self.queue.put(n)


class Terminal(Kind):
    holds = "a pseudoterminal with unread data"

    def take(self):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        mode = termios.tcgetattr(self.slave)
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        self.mode = termios.tcgetattr(self.slave)
        os.write(self.slave, b"output")
        self.name_of_slave = os.ttyname(self.slave)

    def look(self, n):
        yield "size", (33, 77), struct.unpack("HHHH", fcntl.ioctl(self.master, termios.TIOCGWINSZ, b"\0" * 8))[:2]
        yield "modes", self.mode, termios.tcgetattr(self.slave)
        yield "name", self.name_of_slave, os.ttyname(self.slave)
        yield "output", b"output", os.read(self.master, 100)
        os.write(self.slave, b"output")
        os.write(self.master, b"%d" % n)
        yield "input", b"%d" % n, os.read(self.slave, 100)


class MessageQueue(Kind):
    holds = "a POSIX message queue with a message"

    def take(self):
        self.libc = ctypes.CDLL("librt.so.1", use_errno=True)
        self.queue = self.libc.mq_open(b"/fidelity", os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600, None)
        if self.queue < 0:
            raise NotHere("mq_open: " + os.strerror(ctypes.get_errno()))
        self.libc.mq_send(self.queue, b"first", 5, 3)

    def look(self, n):
        buffer = ctypes.create_string_buffer(8192)
        length = self.libc.mq_receive(self.queue, buffer, 8192, None)
        yield "message", b"first", buffer.raw[: max(0, length)]
        self.libc.mq_send(self.queue, b"first", 5, 3)


class NativeAIO(Kind):
    holds = "a context of native AIO"

    def take(self):
        self.context = ctypes.c_ulong()
        if libc.syscall(206, 16, ctypes.byref(self.context)):  # io_setup
            raise NotHere("io_setup: " + os.strerror(ctypes.get_errno()))
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT)
        os.write(self.descriptor, b"contents")

    def look(self, n):
        buffer = ctypes.create_string_buffer(8)
        # IOCB_CMD_PREAD of 8 bytes.
        block = ctypes.create_string_buffer(
            struct.pack("QIIHhIQQqQII", n, 0, 0, 0, 0, self.descriptor, ctypes.addressof(buffer), 8, 0, 0, 0, 0))
        blocks = (ctypes.c_void_p * 1)(ctypes.addressof(block))
        yield "submitted", 1, libc.syscall(209, self.context, ctypes.c_long(1), blocks)
        event = ctypes.create_string_buffer(32)
        timeout = struct.pack("qq", 20, 0)
        yield "events", 1, libc.syscall(208, self.context, ctypes.c_long(1), ctypes.c_long(1), event, timeout)
        yield "number and result", (n, 8), struct.unpack_from("Q8xq", event)
        yield "contents", b"contents", buffer.raw


KINDS = [Pool, Queue, Pipe, PacketPipe] + [
    functools.partial(Fifo, change)
    for change in ("nothing", "it is written", "it is replaced", "it is removed", "its name becomes a symbolic link")
] + [
    functools.partial(Eventfd, 0), functools.partial(Eventfd, os.EFD_SEMAPHORE), Memfd,
    functools.partial(NamedSemaphore, False), functools.partial(NamedSemaphore, True), Terminal, MessageQueue,
    NativeAIO,
]
