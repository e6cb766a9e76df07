"""What clients have in common."""

import http.client
import socket
import subprocess
import time

# Only ends what hangs.
PATIENCE = 60


class Client:
    def __init__(self, address):
        self.address = address

    def asleep(self):
        pass


def eventually(what, condition):
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.02)
    return value


def served(address, port):
    """Waits until somebody listens there."""

    def answers():
        try:
            return socket.create_connection((address, port), PATIENCE).close() is None
        except OSError:
            return False

    eventually(f"{address}:{port} listens", answers)


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"expected {expected!r}, seen {seen!r}")


class Connection:
    """HTTP on one connection, which may not be made anew."""

    def __init__(self, address, port=80):
        self.http = http.client.HTTPConnection(address, port, timeout=PATIENCE)
        self.http.connect()
        self.socket = self.http.sock

    def get(self, path="/"):
        self.http.request("GET", path)
        answer = self.http.getresponse()
        body = answer.read().decode()
        equal(answer.status, 200)
        if self.http.sock is not self.socket:
            raise AssertionError("the connection was closed")
        return body


class Counted(Client):
    """Somebody who counts all requests, on connections that stay and on new ones."""

    port = 80
    path = "/"
    kept = 4

    def begin(self):
        served(self.address, self.port)
        self.count = self.counted(Connection(self.address, self.port))
        self.connections = [Connection(self.address, self.port) for _ in range(self.kept)]
        self.goes_on()

    def goes_on(self):
        for connection in self.connections:
            self.sees_one_more(connection)

    def begins_again(self):
        self.sees_one_more(Connection(self.address, self.port))
        self.goes_on()

    def sees_one_more(self, connection):
        self.count += 1
        equal(self.counted(connection), self.count)

    def counted(self, connection):
        return int(connection.get(self.path))


class Lines:
    """A program that is written to, and answers by lines."""

    def __init__(self, *command):
        self.program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def ask(self, line, expected):
        self.program.stdin.write(line + "\n")
        equal(self.program.stdout.readline().strip(), expected)
