"""Many clients of different kinds, against servers that fall asleep and wake all the while. Every byte of every answer is
checked.

    soak.py SECONDS NAME=KIND@ADDRESS...

where KIND is what serves there: peers, nginx or redis. A target has rounds: some clients come at about the same time, and
when the last one is served there is a pause, short or long, in which the server may fall asleep. Beside the rounds each
target has clients that keep their connection. The last line is JSON: for each target and kind of client how often it was
served, how many bytes it checked, and what went wrong.
"""

import json
import random
import select
import socket
import ssl
import sys
import threading
import time

import clients
from pattern import pattern

# Around the scaledown-duration of Soak.swift, so that clients come at every moment of a sleep.
PAUSES = (0, 0.1, 0.28, 0.3, 0.32, 0.34, 0.36, 0.4, 0.5, 0.8, 1.2, 1.5, 2, 3)


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.kinds = {}

    def note(self, target, kind, size=0, error=None):
        with self.lock:
            entry = self.kinds.setdefault(f"{target}/{kind}", {"served": 0, "bytes": 0, "errors": {}})
            if error:
                entry["errors"][error] = entry["errors"].get(error, 0) + 1
                print(f"{time.strftime('%H:%M:%S')} {target}/{kind}: {error}", file=sys.stderr, flush=True)
            else:
                entry["served"] += 1
                entry["bytes"] += size


tally = Tally()


def new_http(address):
    size = random.choice((0, 1, 3000, 100_000))
    with clients.connect(address, 8080) as client:
        clients.expect("body", clients.get(client, f"/bytes?n={size}", close=True), pattern(size))
        clients.expect("end", client.recv(1), b"")
    return size


def slow_reader(address):
    size = 400_000
    clients.small_buffer(address, size)
    return size


def half_closer(address):
    clients.half_close(address, 200_000)
    return 200_000


def echoer(address):
    size = random.choice((1, 65536, 1_000_000))
    clients.echo(address, size)
    return size


def server_ends(address):
    clients.server_ends_first(address, 100_000)
    return 12


def mailer(address):
    clients.smtp(address)
    return 6018


def database(address):
    clients.mysql(address)
    return 22


def reset_by_server(address):
    clients.be_reset(address)
    return 0


def static_file(address):
    with clients.connect(address, 80) as client:
        clients.expect("body", clients.get(client, "/", close=True), b"hello from nginx\n")
    return 17


def tls(address):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(clients.connect(address, 443)) as client:
        clients.expect("body", clients.get(client, "/", close=True), b"hello from nginx\n")
    return 17


def redis(address):
    """The value is this client's own, so that it must be what was written."""
    with clients.connect(address, 6379) as client:
        value = pattern(random.choice((1, 3000, 200_000)))
        key = b"%d" % threading.get_ident()
        for command, answer in (
            ((b"SET", key, value), b"+OK\r\n"),
            ((b"GET", key), b"$%d\r\n%s\r\n" % (len(value), value)),
            ((b"DEL", key), b":1\r\n"),
        ):
            words = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
            client.sendall(b"*%d\r\n%s" % (len(command), words))
            clients.expect("answer", clients.read_exactly(client, len(answer)), answer)
    return len(value)


KINDS = {
    "peers": (
        new_http, new_http, new_http, slow_reader, half_closer, echoer, server_ends, mailer, database, reset_by_server
    ),
    "nginx": (static_file, static_file, tls),
    "redis": (redis,),
}
PORTS = {"peers": (8080, "/bytes?n=5000", pattern(5000)), "nginx": (80, "/", b"hello from nginx\n")}


def once(target, kind, address, delay):
    time.sleep(delay)
    try:
        tally.note(target, kind.__name__, kind(address))
    except Exception as error:
        tally.note(target, kind.__name__, error=f"{type(error).__name__}: {error}")


def rounds(target, service, address, end):
    while time.monotonic() < end:
        crowd = [
            threading.Thread(target=once, args=(target, random.choice(KINDS[service]), address, random.uniform(0, 0.1)))
            for _ in range(random.choice((1, 1, 2, 5, 10)))
        ]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        time.sleep(random.choice(PAUSES))


def keep_alive(target, service, address, end):
    """One connection, with a request now and then: however often its server sleeps, nobody ends it."""
    port, path, body = PORTS[service]
    client = None
    while time.monotonic() < end:
        try:
            client = client or clients.connect(address, port)
            while time.monotonic() < end:
                clients.expect("body", clients.get(client, path), body)
                tally.note(target, "keep_alive", len(body))
                if select.select([client], [], [], random.uniform(0.02, 6))[0]:
                    raise EOFError(f"while idle: {client.recv(100)!r}")
        except Exception as error:
            tally.note(target, "keep_alive", error=f"{type(error).__name__}: {error}")
        client.close() if client else time.sleep(0.1)
        client = None


def main():
    clients.raise_limit()
    end = time.monotonic() + float(sys.argv[1])
    threads = []
    for word in sys.argv[2:]:
        target, _, rest = word.partition("=")
        service, _, address = rest.partition("@")
        threads.append(threading.Thread(target=rounds, args=(target, service, address, end)))
        if service in PORTS:
            threads.append(threading.Thread(target=keep_alive, args=(target, service, address, end)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(tally.kinds))


main()
