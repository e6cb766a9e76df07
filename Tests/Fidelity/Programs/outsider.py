"""Whoever else has the volumes of containers that sleep: does to what they hold what the kinds say. It keeps what it
has taken itself (connections, locks) from call to call.

    /names?group=G
    /meet?run=R&group=G&address=A&only=NAME&only=…    /disturb?run=R&n=N    /after?run=R&n=N    /forget?run=R
"""

import http.server
import json
import os
import socket
import socketserver
import urllib.parse

import kind

# Root of a user namespace is another user, who connects to a socket only if he may write to it.
os.umask(0)
runs = {}


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        words = urllib.parse.parse_qs(address.query)
        run, verb = words.get("run", [""])[0], address.path.strip("/")
        answer = {}
        if verb == "meet":
            runs[run] = kind.load(words["group"][0], os.path.join("/shared", run), words["only"])
            for one in runs[run]:
                one.pod = words["address"][0]
                answer[one.name] = kind.collect(one, "meet")
        elif verb == "forget":
            runs.pop(run, None)
        elif verb == "names":
            answer = {one.name: [] for one in kind.load(words["group"][0], "/tmp/names")}
        else:
            answer = {one.name: kind.collect(one, verb, int(words["n"][0])) for one in runs[run]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = Server(("::", 8080), Handler)
print("listening", flush=True)
server.serve_forever()
