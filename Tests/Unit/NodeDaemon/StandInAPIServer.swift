import Linux

@testable import NodeDaemon

/// Stands in for the API server where a test needs one that misbehaves: it answers what the test says, over HTTP on
/// loopback. What a real one does is tried in Tests/Kubernetes.
final class StandInAPIServer {
    struct Request {
        /// With its query.
        let path: String
        let authorization: String
        let accept: String
        let body: String

        var isWatch: Bool { path.contains("watch=true") }
    }

    struct Reply {
        var status = 200
        var body = ""
        /// More might follow, and does not.
        var staysOpen = false
    }

    private final class Connection {
        let socket: Descriptor
        var received: [UInt8] = []

        init(_ socket: consuming Descriptor) { self.socket = socket }
    }

    let port: UInt16
    private(set) var requests: [Request] = []
    private let listener: Descriptor
    private let loop: EventLoop
    private let answer: (Request) -> Reply
    private var connections: [Int32: Connection] = [:]

    init(loop: EventLoop, _ answer: @escaping (Request) -> Reply) throws {
        (self.loop, self.answer) = (loop, answer)
        listener = try ServerSocket.listen("127.0.0.1:0")
        port = try TCPSocket.localAddress(listener).port
        try loop.watch(listener, .readable) { [unowned self] _ in
            guard let socket = try? TCPSocket.accept(listener) else { return }
            let connection = Connection(socket)
            connections[connection.socket.rawValue] = connection
            try? loop.watch(connection.socket, .readable) { [unowned self] _ in read(connection) }
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    deinit {
        for descriptor in connections.keys { loop.unwatch(descriptor) }
        loop.unwatch(listener.rawValue)
    }

    private func read(_ connection: Connection) {
        guard let bytes = try? connection.socket.read(atMost: 65_536), !bytes.isEmpty else { return end(connection) }
        connection.received += bytes
        let text = String(decoding: connection.received, as: UTF8.self)
        guard let blank = text.firstRange(of: "\r\n\r\n") else { return }
        let lines = text[..<blank.lowerBound].split(separator: "\r\n")
        let body = String(text[blank.upperBound...])
        func field(_ name: String) -> String {
            lines.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) } ?? ""
        }
        guard body.utf8.count >= Int(field("Content-Length")) ?? 0 else { return }
        connection.received = []
        let request = Request(
            path: String(lines[0].split(separator: " ")[1]), authorization: field("Authorization"),
            accept: field("Accept"), body: body)
        requests.append(request)
        let reply = answer(request)
        let length = reply.staysOpen ? "" : "Content-Length: \(reply.body.utf8.count)\r\n"
        _ = try? connection.socket.write(
            Array("HTTP/1.1 \(reply.status) X\r\n\(length)Connection: close\r\n\r\n\(reply.body)".utf8))
        if !reply.staysOpen { end(connection) }
    }

    private func end(_ connection: Connection) {
        loop.unwatch(connection.socket.rawValue)
        connections[connection.socket.rawValue] = nil
    }
}
