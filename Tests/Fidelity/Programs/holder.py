"""The container that sleeps: takes what the kinds of a group hold, and then answers on port 8080 with how often it was
asked and, below /look, what it sees.

    holder.py GROUP [NAME...]
"""

import http.server
import json
import socket
import socketserver
import sys
import urllib.parse

import kind

count = 0
absent = {}
kinds = []


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global count
        count += 1
        address = urllib.parse.urlsplit(self.path)
        answer = {
            "count": count, "absent": absent,
            "kinds": [{"holds": one.holds, "asleep": one.asleep, "name": one.name, "refusal": one.refusal} for one in kinds],
        }
        if address.path == "/look":
            number = int(urllib.parse.parse_qs(address.query)["n"][0])
            answer["checks"] = {one.name: kind.collect(one, "look", number) for one in kinds}
            answer["differs"] = [[name, *one] for name, list in answer["checks"].items() for one in list if one[1] != one[2]]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    for one in kind.load(sys.argv[1], "/volume", sys.argv[2:] or None):
        try:
            one.take()
            kinds.append(one)
        except kind.NotHere as reason:
            absent[one.name] = str(reason)
    server = Server(("::", 8080), Handler)
    print("listening", flush=True)
    server.serve_forever()


main()
