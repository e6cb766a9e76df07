"""Clients of peers.py, one for each thing that could break. Each ends with status 0 if every byte was as it should be.

    clients.py NAME ADDRESS [ARGUMENT]
"""

import os
import random
import resource
import selectors
import socket
import struct
import sys
import threading
import time

from pattern import pattern

PATIENCE = 60


def connect(address, port, source=None):
    client = socket.create_connection((address, port), PATIENCE, source)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def read_all(client):
    chunks = []
    while chunk := client.recv(1 << 18):
        chunks.append(chunk)
    return b"".join(chunks)


def read_exactly(client, count):
    data = b""
    while len(data) < count:
        chunk = client.recv(count - len(data))
        if not chunk:
            raise EOFError(f"{len(data)} of {count} bytes")
        data += chunk
    return data


def expect(what, found, wanted):
    if found != wanted:
        if isinstance(found, bytes) and len(found) + len(wanted) > 200:
            begin = next((i for i, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
            found, wanted = f"{len(found)} bytes, the first {begin} as wanted", f"{len(wanted)} bytes"
        raise AssertionError(f"{what}: {found}, not {wanted}")


def smtp(address, _=None):
    import smtplib

    # With a name of its own it asks nobody for one.
    with smtplib.SMTP(address, 2525, local_hostname="client", timeout=PATIENCE) as client:
        client.sendmail("a@test", ["b@test"], "Subject: hello\r\n\r\n" + "line\r\n" * 1000)


def mysql(address, _=None):
    client = connect(address, 3306)

    def read_packet():
        header = read_exactly(client, 4)
        return header[3], read_exactly(client, int.from_bytes(header[:3], "little"))

    number, greeting = read_packet()
    expect("greeting", (number, greeting[:13]), (0, b"\x0a8.0.0-peers\0"))
    answer = struct.pack("<IIB", 0x81A68, 1 << 24, 255) + bytes(23) + b"root\0\0"
    client.sendall(struct.pack("<I", len(answer))[:3] + b"\x01" + answer)
    expect("login", read_packet(), (2, b"\0\0\0\x02\0\0\0"))
    client.sendall(b"\x01\0\0\0\x0e")  # COM_PING
    expect("ping", read_packet(), (1, b"\0\0\0\x02\0\0\0"))
    client.sendall(b"\x01\0\0\0\x01")  # COM_QUIT
    expect("end", read_all(client), b"")


def echo(address, length="65536"):
    """So much in the first write; both ways at once when it is more than buffers hold."""
    data = pattern(int(length))
    client = connect(address, 7000)

    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    expect("echo", read_all(client), data)
    sender.join()


def half_close(address, length="100000"):
    """Ends sending before anything can have been answered."""
    client = connect(address, 7001)
    client.sendall(b"%d\n" % int(length))
    client.shutdown(socket.SHUT_WR)
    expect("answer", read_all(client), pattern(int(length)))


def server_ends_first(address, length="1000000"):
    client = connect(address, 7003)
    expect("greeting", read_all(client), b"that is all\n")
    client.sendall(pattern(int(length)))


def slow_read(address, length="20000000"):
    """The pace is the link's, or that of a small buffer; the server has ended long before."""
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    client.settimeout(PATIENCE)
    client.connect((address, 7001))
    client.sendall(b"%d\n" % int(length))
    expect("body", read_all(client), pattern(int(length)))


def small_buffer(address, length="2000000"):
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE)
    client.connect((address, 7001))
    client.sendall(b"%d\n" % int(length))
    data = b""
    while chunk := client.recv(1 << 14):
        data += chunk
        time.sleep(0.01)
    expect("body", data, pattern(int(length)))


def stall(address, seconds="5"):
    """Reads nothing for a while, in the middle of an answer that no buffer holds. Meanwhile hardly a packet goes."""
    length = 20_000_000
    client = connect(address, 7001)
    client.sendall(b"%d\n" % length)
    data = read_exactly(client, 1000)
    time.sleep(float(seconds))
    expect("body", data + read_all(client), pattern(length))


def be_reset(address, _=None):
    client = connect(address, 7002)
    client.sendall(b"reset me\n")
    try:
        expect("instead of a reset", client.recv(1), "ECONNRESET")
    except ConnectionResetError:
        pass


def reset(address, _=None):
    client = connect(address, 7004)
    client.sendall(b"x" * 1000)
    time.sleep(0.5)  # the application has accepted it by then, or not: both are right
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def steady(address, seconds="12"):
    """A connection that is never silent, for longer than any limit that a relay may have."""
    client = connect(address, 7000)
    end = time.monotonic() + float(seconds)
    number = 0
    while time.monotonic() < end:
        number += 1
        client.sendall(b"%08d" % number)
        expect("echo", read_exactly(client, 8), b"%08d" % number)
        time.sleep(0.05)
    client.shutdown(socket.SHUT_WR)
    expect("end", read_all(client), b"")


def get(client, path, close=False):
    end = b"Connection: close\r\n" if close else b""
    client.sendall(b"GET %s HTTP/1.1\r\nHost: test\r\n%s\r\n" % (path.encode(), end))
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = client.recv(1)
        if not chunk:
            raise EOFError(f"the head ended after {len(head)} bytes")
        head += chunk
    expect("status", head[:15], b"HTTP/1.1 200 OK")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return read_exactly(client, length)


def silent(address, milliseconds="5000"):
    """The server thinks in silence."""
    client = connect(address, 8080)
    expect("answer", get(client, f"/slow?ms={milliseconds}").strip().isdigit(), True)


def idle(address, seconds="3"):
    """Silent between two requests. Prints what became of the connection meanwhile: 'kept', or 'closed' if the server
    ended it in order. A reset is a failure either way."""
    client = connect(address, 8080)
    get(client, "/")
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        if selector.select(float(seconds)):
            expect("while idle", client.recv(1), b"")
            print("closed")
            return
    expect("body", get(client, "/bytes?n=100000"), pattern(100000))
    print("kept")


def websocket(address, _=None):
    from websockets.sync.client import connect as open_websocket

    host = f"[{address}]" if ":" in address else address
    with open_websocket(f"ws://{host}:8765", max_size=None, open_timeout=PATIENCE, compression=None) as client:
        for message in ("hello", pattern(100), pattern(3_000_000), "x" * 70000):
            client.send(message)
            expect("echo", client.recv(PATIENCE), message)


def grpc(address, agent=""):
    """With an agent that begins with kube-probe/, a health check and no more."""
    import grpc as library

    host = f"[{address}]" if ":" in address else address
    options = [("grpc.max_receive_message_length", -1), ("grpc.primary_user_agent", agent)]
    with library.insecure_channel(f"{host}:50051", options if agent else options[:1]) as channel:

        def call(method, request=b""):
            return channel.unary_unary(method)(request, timeout=PATIENCE)

        expect("health", call("/grpc.health.v1.Health/Check"), b"\x08\x01")
        if agent:
            return
        expect("echo", call("/zeropod.test.Peers/Echo", pattern(2_000_000)), pattern(2_000_000))
        numbers = list(channel.unary_stream("/zeropod.test.Peers/Count")(b"1000", timeout=PATIENCE))
        expect("stream", numbers, [b"%d" % number for number in range(1000)])


def same_port(address, source_addresses):
    """Clients with different addresses and the same port, at the same time."""
    sockets = []
    for source in source_addresses.split(","):
        client = socket.socket()
        client.settimeout(PATIENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind((source, 40123))
        client.setblocking(False)
        client.connect_ex((address, 7000))
        sockets.append(client)
    for number, client in enumerate(sockets):
        client.settimeout(PATIENCE)
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_WRITE)
            selector.select(PATIENCE)
        client.sendall(b"client %d" % number * 1000)
    for client in sockets:
        client.shutdown(socket.SHUT_WR)
    for number, client in enumerate(sockets):
        expect("echo", read_all(client), b"client %d" % number * 1000)


class Crowd:
    """Requests on connections of their own, as many at a time as are wanted."""

    REQUEST = b"GET /%s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"

    def __init__(self, address, port, path="bytes?n=3000", body=None):
        self.address = (address, port)
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.request = self.REQUEST % path.encode()
        self.body = pattern(3000) if body is None else body
        self.selector = selectors.DefaultSelector()
        self.open = {}
        self.served = 0
        self.failures = {}
        self.slowest = 0

    def fail(self, client, what):
        self.failures[what] = self.failures.get(what, 0) + 1
        self.forget(client)

    def forget(self, client):
        self.selector.unregister(client)
        del self.open[client]
        client.close()

    def begin(self):
        client = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.open[client] = [time.monotonic(), b""]
        self.selector.register(client, selectors.EVENT_WRITE)
        client.connect_ex(self.address)

    def turn(self, wait):
        for key, events in self.selector.select(wait):
            client = key.fileobj
            try:
                if events & selectors.EVENT_WRITE:
                    error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if error:
                        raise OSError(error, os.strerror(error))
                    client.send(self.request)
                    self.selector.modify(client, selectors.EVENT_READ)
                    continue
                chunk = client.recv(1 << 16)
                self.open[client][1] += chunk
                if not chunk:
                    self.finish(client)
            except OSError as error:
                self.fail(client, str(error))

    def finish(self, client):
        begin, answer = self.open[client]
        if answer.partition(b"\r\n\r\n")[2] != self.body:
            return self.fail(client, f"an answer of {len(answer)} bytes")
        self.served += 1
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.forget(client)

    def drain(self):
        end = time.monotonic() + PATIENCE
        while self.open and time.monotonic() < end:
            self.turn(0.1)
        for client in list(self.open):
            self.fail(client, "no end")

    def report(self):
        print(f"{self.served} served, slowest {self.slowest * 1000:.0f} ms, failures {self.failures}", flush=True)
        expect("failures", self.failures, {})


def burst(address, count="2000"):
    raise_limit()
    crowd = Crowd(address, 8080)
    for _ in range(int(count)):
        crowd.begin()
    crowd.drain()
    crowd.report()
    expect("served", crowd.served, int(count))


def pace(address, arguments="1000,60"):
    """So many connections a second, for so many seconds. They come evenly, and in bursts with pauses in between, in
    which the server may fall asleep. Asks nginx."""
    raise_limit()
    rate, seconds = (float(word) for word in arguments.split(","))
    crowd = Crowd(address, 80, "", b"hello from nginx\n")
    begin = now = time.monotonic()
    made = 0
    while now < begin + seconds:
        pause_end = now + random.choice((0, 0.1, 0.3, 0.32, 0.35, 0.4, 0.5, 1))
        while (now := time.monotonic()) < pause_end:
            crowd.turn(0.005)
        part_end = now + random.uniform(0.05, 0.5)
        while (now := time.monotonic()) < part_end:
            # What a pause left undone is made up for at four times the pace.
            for _ in range(min(int((now - begin) * rate) - made, max(1, int(rate / 250)))):
                crowd.begin()
                made += 1
            crowd.turn(0.001)
    crowd.drain()
    print(f"{made / (now - begin):.0f} connections a second", flush=True)
    crowd.report()


def raise_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
