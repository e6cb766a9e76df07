"""A web server that holds files of volumes in every way, and tells as JSON what it sees of them.

Its arguments are NAME=FILE. A process for each has the file open and mapped, watches its directory, and works there.
"""

import ctypes
import http.server
import json
import mmap
import os
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
CHANGES = 0x2 | 0x80 | 0x100 | 0x200  # IN_MODIFY, IN_MOVED_TO, IN_CREATE, IN_DELETE
ROOM = 1 << 16


class Held:
    def __init__(self, path):
        self.path = path
        self.directory, self.name = os.path.split(path)
        os.chdir(self.directory)
        self.descriptor = os.open(path, os.O_RDONLY)
        self.mapping = mmap.mmap(self.descriptor, 0, prot=mmap.PROT_READ)
        # Of a volume that the kubelet replaces as a whole, this is what goes.
        self.place = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY | os.O_DIRECTORY)
        self.inode = os.fstat(self.place).st_ino
        self.watch = libc.inotify_init1(os.O_NONBLOCK)
        if libc.inotify_add_watch(self.watch, self.directory.encode(), CHANGES) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch")
        self.events = 0

    def look(self):
        self.count_events()
        with open(self.path) as file:
            anew = file.read()
        return {
            "open": os.pread(self.descriptor, ROOM, 0).decode(),
            "mapped": self.mapping[:].decode(),
            "anew": anew,
            "events": self.events,
            "worksThere": os.getcwd() == self.directory and os.path.samefile(self.name, self.path),
            "placeStays": os.fstat(self.place).st_ino == self.inode,
        }

    def count_events(self):
        while True:
            try:
                data = os.read(self.watch, ROOM)
            except BlockingIOError:
                return
            while data:
                _, _, _, length = struct.unpack_from("iIII", data)
                data = data[16 + length :]
                self.events += 1


def hold(path):
    """The socket that answers the empty question from a process that holds the file."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.fork() > 0:
        theirs.close()
        return ours.makefile("rw")
    ours.close()
    held, lines = Held(path), theirs.makefile("rw")
    while lines.readline():
        print(json.dumps(held.look()), file=lines, flush=True)
    os._exit(0)


def ask(lines):
    print(file=lines, flush=True)
    return json.loads(lines.readline())


class Answer(http.server.BaseHTTPRequestHandler):
    answers = 0

    def do_GET(self):
        Answer.answers += 1
        body = {"answers": Answer.answers, "volumes": {name: ask(lines) for name, lines in holders.items()}}
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


holders = {}
for argument in sys.argv[1:]:
    name, path = argument.split("=")
    holders[name] = hold(path)
http.server.HTTPServer(("", 80), Answer).serve_forever()
