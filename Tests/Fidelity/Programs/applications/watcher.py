"""A web server that tells which files were made in /volume since it was started, by inotify."""

import http.server
import os
import socketserver

import watchdog.events
import watchdog.observers

seen = []


class Handler(watchdog.events.FileSystemEventHandler):
    def on_created(self, event):
        seen.append(os.path.basename(event.src_path))


observer = watchdog.observers.Observer()
observer.schedule(Handler(), "/volume", recursive=True)
observer.start()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = " ".join(sorted(seen)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


Server(("", 80), Answer).serve_forever()
