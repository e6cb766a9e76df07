"""Connections and sockets that somebody outside speaks to. Each kind has its turn in one sleep of several: what it does
then wakes the container, unless it says otherwise, and it is answered by the application."""

import functools
import os
import socket
import struct
import threading
import time

from kind import Kind

UNIX = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}


def echo(connection, prefix=b"echo "):
    """Answers each message until the other side has no more; but not a full stop."""
    while data := connection.recv(1000):
        if data != b".":
            connection.send(prefix + data)
    connection.close()


def serve(listener, handler=echo):
    while True:
        threading.Thread(target=handler, args=(listener.accept()[0],), daemon=True).start()


def in_background(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def retried(connect):
    """Tries until the other side is there; only before the first sleep."""
    end = time.monotonic() + 20
    while True:
        try:
            return connect()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Turn(Kind):
    """Does something in every second of its turns: first in the sleep that has its number."""

    port = 0

    def mine(self, n):
        place = [make(self.directory).name for make in KINDS].index(self.name)
        return (n - 1) % len(KINDS) == place

    def disturb(self, n):
        return self.speak(n) if self.mine(n) else ()

    def speak(self, n):
        raise NotImplementedError


class NewConnection(Turn):
    holds = "a listening TCP socket"
    asleep = "a client connects and asks"
    port = 9000

    def take(self):
        listener = socket.create_server(("::", self.port), family=socket.AF_INET6, dualstack_ipv6=True)
        in_background(serve, listener)

    def speak(self, n):
        with socket.create_connection((self.pod, self.port), 60) as client:
            client.send(b"%d" % n)
            yield "answer", b"echo %d" % n, client.recv(100)


class OpenConnection(Turn):
    holds = "an open TCP connection"
    asleep = "the client asks"
    port = 9001

    def take(self):
        self.listener = socket.create_server(("::", self.port), family=socket.AF_INET6, dualstack_ipv6=True)
        in_background(serve, self.listener)

    def meet(self):
        self.client = socket.create_connection((self.pod, self.port), 60)
        self.client.send(b"first")
        yield "answer", b"echo first", self.client.recv(100)

    def speak(self, n):
        self.client.send(b"%d" % n)
        yield "answer", b"echo %d" % n, self.client.recv(100)


class Outgoing(Turn):
    holds = "a TCP connection that the container has opened"
    asleep = "the other side speaks"

    def take(self):
        in_background(self.run)

    def run(self):
        def connect():
            with open(self.path) as file:
                return socket.create_connection(file.read().split())

        echo(retried(connect))

    def meet(self):
        # Named by this program's own address towards the pod.
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.connect((self.pod, 1))
        listener = socket.create_server((probe.getsockname()[0], 0))
        with open(self.path + ".new", "w") as file:
            file.write("%s %d" % listener.getsockname())
        os.rename(self.path + ".new", self.path)
        listener.settimeout(20)
        self.connection, _ = listener.accept()
        self.connection.settimeout(60)
        return self.speak(0)

    def speak(self, n):
        self.connection.send(b"%d" % n)
        yield "answer", b"echo %d" % n, self.connection.recv(100)
        # Who has opened a connection and has sent last awaits an answer, and is not put to sleep.
        self.connection.send(b".")


class Datagram(Turn):
    holds = "a UDP socket on a port that ports-map names"
    asleep = "a datagram comes"
    port = 9002

    def take(self):
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.bind(("::", self.port))
        in_background(self.run)

    def run(self):
        while True:
            data, client = self.socket.recvfrom(1000)
            self.socket.sendto(b"echo " + data, client)

    def speak(self, n):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(60)
            client.sendto(b"%d" % n, (self.pod, self.port))
            yield "answer", b"echo %d" % n, client.recv(100)


class UnixListener(Turn):
    asleep = "a client connects and asks"

    def __init__(self, way, volume):
        self.type, self.holds = UNIX[way], f"a listening unix socket in a volume, {way}"
        super().__init__(volume)

    def take(self):
        listener = socket.socket(socket.AF_UNIX, self.type)
        listener.bind(self.path)
        listener.listen(5)
        in_background(serve, listener)

    def speak(self, n):
        with socket.socket(socket.AF_UNIX, self.type) as client:
            client.settimeout(60)
            client.connect(self.path)
            client.send(b"%d" % n)
            yield "answer", b"echo %d" % n, client.recv(100)


class UnixConnection(UnixListener):
    asleep = "the client asks"

    def __init__(self, way, volume):
        super().__init__(way, volume)
        self.holds = f"an open unix connection, {way}"
        Kind.__init__(self, volume)

    def meet(self):
        self.client = socket.socket(socket.AF_UNIX, self.type)
        self.client.settimeout(60)
        self.client.connect(self.path)
        return self.speak(0)

    def speak(self, n):
        self.client.send(b"%d" % n)
        yield "answer", b"echo %d" % n, self.client.recv(100)


class UnixDatagram(Turn):
    holds = "a unix datagram socket in a volume"
    asleep = "a datagram comes"

    def take(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        in_background(self.run)

    def run(self):
        while True:
            data, client = self.socket.recvfrom(1000)
            # Its path there is not the path here.
            self.socket.sendto(b"echo " + data, os.path.join(self.directory, os.path.basename(client)))

    def speak(self, n):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.bind(f"{self.path}-{n}")
            client.settimeout(60)
            client.sendto(b"%d" % n, self.path)
            yield "answer", b"echo %d" % n, client.recv(100)


class Agent(Turn):
    """The container is the client."""

    holds = "a unix connection to an agent outside"
    asleep = "the agent speaks"

    def take(self):
        in_background(self.run)

    def run(self):
        def connect():
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.path)
            return connection

        echo(retried(connect))

    def meet(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen()
        listener.settimeout(20)
        self.connection, _ = listener.accept()
        self.connection.settimeout(60)
        return self.speak(0)

    def speak(self, n):
        self.connection.send(b"%d" % n)
        yield "answer", b"echo %d" % n, self.connection.recv(100)


KINDS = [NewConnection, OpenConnection, Outgoing, Datagram] + [
    functools.partial(UnixListener, way) for way in ("stream", "seqpacket")
] + [functools.partial(UnixConnection, way) for way in ("stream", "seqpacket")] + [UnixDatagram, Agent]
CYCLES = 2 * len(KINDS)
