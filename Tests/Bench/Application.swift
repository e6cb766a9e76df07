import Foundation
import Measure

/// Something that serves TCP: an image, the command that starts it, and a question that it answers.
struct Application: Sendable {
    let name: String
    let image: String
    let command: [String]
    /// Milliseconds from connect to the first byte of the right answer.
    let ask: @Sendable (TimedClient, String) async throws -> Double

    static let small = [httpd, nginx, redis, python]

    static let nginx = Application(name: "nginx", image: "nginx", command: ["nginx"]) { client, ip in
        try await client.get(ip, port: 80).seconds * 1000
    }

    static let httpd = Application(
        name: "httpd", image: "busybox",
        command: ["sh", "-c", "echo hello >/srv/index.html; exec httpd -f -p 80 -h /srv"]
    ) { client, ip in try await client.get(ip, port: 80).seconds * 1000 }

    static let redis = Application(
        name: "redis", image: "redis",
        command: ["redis-server", "--bind", "* -::*", "--protected-mode", "no", "--save", ""]
    ) { client, ip in
        let reply = try await client.redis(ip, "PING")
        guard reply.text == "PONG" else { throw WrongAnswer(text: reply.text, expected: "PONG") }
        return reply.seconds * 1000
    }

    static let python = Application(
        name: "python", image: "python", command: ["python3", "/usr/bin/server.py"]
    ) { client, ip in try await client.get(ip, port: 8080).seconds * 1000 }

    /// So much memory, all of it touched. The question is for one byte in the middle, or for one of every page.
    static func memory(megabytes: Int, all: Bool = false) -> Application {
        let bytes = (0..<megabytes).map { 1 + $0 % 255 }
        let expected = all ? bytes.reduce(0, +) * 256 : bytes[megabytes / 2]
        let name = megabytes < 1024 ? "\(megabytes)MB" : "\(megabytes / 1024)GB"
        return Application(name: name, image: "python", command: ["python3", "-c", hoarder, "\(megabytes)"]) {
            client, ip in
            let reply = try await client.get(ip, port: 8080, path: all ? "/all" : "/")
            guard reply.text == "\(expected)" else { throw WrongAnswer(text: reply.text, expected: "\(expected)") }
            return reply.seconds * 1000
        }
    }

    private static let hoarder = """
        import http.server, mmap, sys
        count = int(sys.argv[1])
        hoard = mmap.mmap(-1, count << 20, flags=mmap.MAP_PRIVATE)
        for n in range(count): hoard[n << 20:(n + 1) << 20] = bytes([1 + n % 255]) * (1 << 20)
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = b"%d" % (sum(hoard[::4096]) if self.path == "/all" else hoard[count << 19])
                self.send_response(200); self.end_headers(); self.wfile.write(body)
            def log_message(self, *_): pass
        http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
        """

    /// So many files are open.
    static func files(_ count: Int) -> Application {
        holding(
            "\(count)-files",
            """
            resource.setrlimit(resource.RLIMIT_NOFILE, (\(count) + 100, \(count) + 100))
            held = [open(f"/tmp/{n}", "w+") for n in range(\(count))]
            """)
    }

    /// So many sockets are connected by TCP, with each other.
    static func connections(_ count: Int) -> Application {
        holding(
            "\(count)-connections",
            """
            other = socket.create_server(("127.0.0.1", 0), backlog=\(count))
            held = [socket.create_connection(other.getsockname()) for _ in range(\(count) // 2)]
            held += [other.accept()[0] for _ in held]
            """)
    }

    private static func holding(_ name: String, _ lines: String) -> Application {
        let program = """
            import http.server, os, resource, socket
            \(lines)
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.end_headers(); self.wfile.write(b"%d" % len(held))
                def log_message(self, *_): pass
            http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
            """
        return Application(name: name, image: "python", command: ["python3", "-c", program]) { client, ip in
            try await client.get(ip, port: 8080).seconds * 1000
        }
    }

    /// What occupies a container and listens nowhere.
    static let idleCommand = ["sleep", "1000000"]
}

struct WrongAnswer: Error, CustomStringConvertible {
    let text: String
    let expected: String

    var description: String { "the answer was '\(text.prefix(80))' and not '\(expected)'" }
}
