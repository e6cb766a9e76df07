"""A server with something to lose: a counter in memory, an open file with an offset, a working directory.

Each answer shows all of it as JSON, so that a test sees at once whether a restored process is the one that slept.
Every request prints a numbered line, and with TICK=<ms> every interval does, on stdout and on stderr: a gap or a repeat
in the log shows.

    /               the state
    /slow?ms=N      the same after N milliseconds: a request in flight
    /bytes?n=N      N bytes
    /allocate?mb=N  fill N more megabytes of memory
    /listen?port=N  serve on one more port
    /status?code=N  that status
    /exit?code=N    end
"""

import http.server
import json
import os
import socket
import socketserver
import sys
import threading
import time
import urllib.parse

PORT = int(os.environ.get("PORT", "8080"))
TICK = int(os.environ.get("TICK", "0"))

lock = threading.Lock()
counter = 0
hoard = []
notes = open("/tmp/notes", "w+")
notes.write("".join("%04d" % n for n in range(10_000)))
notes.flush()
notes.seek(0)


def log(line, stream=1):
    # One write a line: below PIPE_BUF it is whole or not there.
    os.write(stream, (line + "\n").encode())


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    request_queue_size = 512
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes: without this the second waits for the client's delayed ACK.
    disable_nagle_algorithm = True

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        state = self.count()
        if address.path == "/exit":
            os._exit(int(query.get("code", "0")))
        if address.path == "/slow":
            time.sleep(int(query["ms"]) / 1000)
        if address.path == "/listen":
            listen(int(query["port"]))
        if address.path == "/allocate":
            hoard.append(os.urandom(int(query["mb"]) << 20))
        if address.path == "/bytes":
            return self.reply(b"x" * int(query["n"]))
        code = int(query.get("code", "200"))
        self.reply(json.dumps(state).encode() + b"\n", code)

    def count(self):
        global counter
        with lock:
            counter += 1
            offset = notes.tell()
            state = {
                "counter": counter,
                "pid": os.getpid(),
                "directory": os.getcwd(),
                "greeting": os.environ.get("GREETING", ""),
                "descriptors": len(os.listdir("/proc/self/fd")) - 1,
                "offset": offset,
                "text": notes.read(4),
                "client": self.client_address[0].removeprefix("::ffff:"),
                "clientPort": self.client_address[1],
                "port": self.connection.getsockname()[1],
            }
            log(f"request {counter} {state['client']} {self.path}")
        return state

    def reply(self, body, code=200):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def listen(port):
    threading.Thread(target=Server(("::", port), Handler).serve_forever, daemon=True).start()


def tick():
    number = 0
    while True:
        number += 1
        log(f"tick {number}")
        log(f"tick {number}", stream=2)
        time.sleep(TICK / 1000)


def main():
    if "--warm" in sys.argv:
        return  # only compiles what is imported, while the image is made
    os.chdir("/srv")
    if TICK:
        threading.Thread(target=tick, daemon=True).start()
    server = Server(("::", PORT), Handler)
    log(f"listening on {PORT}")
    server.serve_forever()


main()
