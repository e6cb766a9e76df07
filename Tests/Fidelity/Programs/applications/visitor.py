"""The clients of applications, as a web server which says what they should do. It keeps their connections from call to
call.

    /begin?application=A&address=IP    connects, and has the application do something
    /asleep?address=IP                 does what nobody has to wake up for
    /goes_on?address=IP                on the connections that were there before the sleep
    /begins_again?address=IP           on a new one

It answers with what is wrong, or with nothing.
"""

import http.server
import importlib
import socketserver
import traceback
import urllib.parse

clients = {}


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        location = urllib.parse.urlsplit(self.path)
        words = dict(urllib.parse.parse_qsl(location.query))
        body = self.trouble(location.path.strip("/"), **words).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def trouble(self, verb, address, application=None):
        try:
            if application:
                clients[address] = importlib.import_module(f"clients.{application}").Client(address)
            getattr(clients[address], verb)()
            return ""
        except Exception:
            return traceback.format_exc(limit=-4)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = Server(("", 8080), Handler)
    print("listening", flush=True)
    server.serve_forever()
