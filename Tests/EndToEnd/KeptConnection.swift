import Foundation
import Glibc
import Linux
import TestNode
import Testing

/// A client that keeps its connection, as pools and browsers do, and says when it was cut.
final class KeptConnection: @unchecked Sendable {
    private let socket: Descriptor
    private var received: [UInt8] = []

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    fileprivate init(_ socket: consuming Descriptor) throws {
        self.socket = socket
        try self.socket.setNonBlocking(false)
        // Only what hangs reaches it.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(self.socket.rawValue, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Connects from a network namespace of the node: `client` is the one of everybody outside.
    static func connect(
        _ node: TestNode, to address: String, port: Int, from namespace: String = "/run/netns/client"
    ) throws -> KeptConnection {
        guard let destination = SocketAddress(address, port: UInt16(port)) else { throw Broken(description: address) }
        let socket = try node.network(namespace).inside { () throws(SystemError) in
            let socket = try TCPSocket.make(destination.family)
            try socket.setNonBlocking(false)
            try TCPSocket.set(.noDelay, true, of: socket)
            try TCPSocket.connect(socket, to: destination)
            return socket
        }
        return try KeptConnection(socket)
    }

    /// SO_KEEPALIVE, every second.
    func keepAlive() {
        for (level, option) in [
            (SOL_SOCKET, SO_KEEPALIVE), (Int32(IPPROTO_TCP), TCP_KEEPIDLE), (Int32(IPPROTO_TCP), TCP_KEEPINTVL),
        ] {
            var one: Int32 = 1
            setsockopt(socket.rawValue, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// When the other side last acknowledged anything, keep-alive probes too (`tcpi_last_ack_recv` of tcp_info, tcp(7)).
    var lastHeard: ContinuousClock.Instant {
        var (information, length) = (tcp_info(), socklen_t(MemoryLayout<tcp_info>.size))
        getsockopt(socket.rawValue, Int32(IPPROTO_TCP), TCP_INFO, &information, &length)
        return .now - .milliseconds(Int(information.tcpi_last_ack_recv))
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard Glibc.send(socket.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Broken(description: "send: \(String(cString: strerror(errno)))")
        }
    }

    /// What comes, up to and with `end`.
    func read(upTo end: String) throws -> String {
        while true {
            if let range = received.firstRange(of: Array(end.utf8)) {
                defer { received.removeSubrange(..<range.upperBound) }
                return String(decoding: received[..<range.upperBound], as: UTF8.self)
            }
            try readMore()
        }
    }

    /// Sends a line, which an application between the two passes on.
    func say(_ line: String, to other: KeptConnection) throws {
        try send("\(line)\n")
        #expect(try other.read(upTo: "\n") == "\(line)\n")
    }

    private func readMore() throws {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket.rawValue, &chunk, chunk.count, 0)
        if count < 0 { throw Broken(description: "recv: \(String(cString: strerror(errno)))") }
        if count == 0 { throw Broken(description: "the server has closed it") }
        received += chunk[..<count]
    }

    /// True at the end of the connection, false if there are more bytes; a reset is an error.
    func ends() throws -> Bool {
        var byte: UInt8 = 0
        let count = recv(socket.rawValue, &byte, 1, Int32(MSG_PEEK))
        if count < 0 { throw Broken(description: "recv: \(String(cString: strerror(errno)))") }
        return count == 0
    }

    /// Whether its end is a reset. What the client does to hear of it is `body`'s; by itself it listens.
    func isReset(by body: (KeptConnection) throws -> Void = { _ = try $0.ends() }) -> Bool {
        do {
            try body(self)
            return false
        } catch {
            return "\(error)".contains("reset")
        }
    }

    func finish() { TCPSocket.endSending(socket) }

    /// One HTTP request; its body.
    func get(_ path: String = "/") throws -> Data {
        try send("GET \(path) HTTP/1.1\r\nHost: pod\r\n\r\n")
        let head = try read(upTo: "\r\n\r\n").lowercased()
        guard let field = head.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
            let length = Int(field.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces))
        else { throw Broken(description: "no length in \(head)") }
        while received.count < length { try readMore() }
        defer { received.removeFirst(length) }
        return Data(received[..<length])
    }

    func state(_ path: String = "/") throws -> ServerState {
        try JSONDecoder().decode(ServerState.self, from: try get(path))
    }
}

extension TestNode {
    /// A network namespace of the node.
    fileprivate func network(_ path: String) throws -> Namespace {
        // /var/run leads to /run, but not to the node's.
        let path = path.hasPrefix("/var/") ? String(path.dropFirst("/var".count)) : path
        return try Namespace(.network, path: root + path)
    }
}

/// A server outside, or elsewhere, that the application connects to.
final class OutsideServer: @unchecked Sendable {
    private let listener: Descriptor

    init(_ node: TestNode, port: UInt16, in namespace: String = "/run/netns/client") throws {
        listener = try node.network(namespace).inside { () throws(SystemError) in
            let socket = try TCPSocket.make(.ipv4)
            try TCPSocket.set(.reuseAddress, true, of: socket)
            try TCPSocket.bind(socket, to: SocketAddress(ipv4: 0, port: port))
            try TCPSocket.listen(socket, backlog: 8)
            try socket.setNonBlocking(false)
            return socket
        }
    }

    func accept() throws -> KeptConnection {
        guard let socket = try TCPSocket.accept(listener) else {
            throw KeptConnection.Broken(description: "nobody came")
        }
        return try KeptConnection(socket)
    }
}
