"""A pre-fork server: the parent listens, three children accept from its socket, and count in memory that they share."""

import mmap
import os
import signal
import socket

shared = mmap.mmap(-1, mmap.PAGESIZE)
listener = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)


def serve():
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            count = int.from_bytes(shared[:8], "little") + 1
            shared[:8] = count.to_bytes(8, "little")
            body = b"%d" % count
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


for _ in range(3):
    if os.fork() == 0:
        serve()
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
while True:
    os.wait()
