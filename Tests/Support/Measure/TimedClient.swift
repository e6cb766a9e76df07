// What the demo and the benchmark see and measure: a client's time, the memory of processes, what shims log.
import Foundation

/// A TCP client in a network namespace. It is this process itself, so that no time is spent on starting a program.
package struct TimedClient: Sendable {
    /// A file that stands for the namespace.
    private let namespace: String

    package init(namespace: String) { self.namespace = namespace }

    package struct Reply: Sendable {
        package let text: String
        /// From connect(2) to the first byte of the answer.
        package let seconds: Double
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
    }

    /// One request on a connection of its own, the answer read to the end of the connection.
    package func get(_ address: String, port: UInt16, path: String = "/") async throws -> Reply {
        let reply = try await exchange(address, port, "GET \(path) HTTP/1.0\r\nHost: \(address)\r\n\r\n") { _ in false }
        guard let blank = reply.text.range(of: "\r\n\r\n"), reply.text.contains(" 200 ") else {
            errno = EPROTO
            throw Failure("GET \(path) of \(address): \(reply.text.prefix(80))")
        }
        return Reply(text: String(reply.text[blank.upperBound...]), seconds: reply.seconds)
    }

    /// A probe as the kubelet sends it.
    package func probe(_ address: String, port: UInt16, path: String = "/") async throws -> Reply {
        let fields =
            "Host: \(address):\(port)\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        let reply = try await exchange(address, port, "GET \(path) HTTP/1.1\r\n\(fields)") { _ in false }
        guard reply.text.hasPrefix("HTTP/1.1 200 ") else {
            errno = EPROTO
            throw Failure("the probe \(path) of \(address): \(reply.text.prefix(80))")
        }
        return reply
    }

    /// One redis command on a connection of its own; gives an integer's digits.
    package func redis(_ address: String, _ command: String) async throws -> Reply {
        let reply = try await exchange(address, 6379, command + "\r\n") { $0.last == UInt8(ascii: "\n") }
        return Reply(
            text: reply.text.trimmingCharacters(in: CharacterSet(charactersIn: ":+\r\n")), seconds: reply.seconds)
    }

    private func exchange(
        _ address: String, _ port: UInt16, _ request: String, isComplete: @escaping @Sendable ([UInt8]) -> Bool
    ) async throws -> Reply {
        try await withCheckedThrowingContinuation { continuation in
            // A thread of its own, because it moves into the namespace and does not come back.
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try enter()
                        return try Self.exchange(address, port, request, isComplete)
                    })
            }
        }
    }

    private func enter() throws {
        let descriptor = open(namespace, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("open \(namespace)") }
        defer { close(descriptor) }
        guard setns(descriptor, CLONE_NEWNET) == 0 else { throw Failure("setns \(namespace)") }
    }

    private static func exchange(
        _ address: String, _ port: UInt16, _ request: String, _ isComplete: ([UInt8]) -> Bool
    ) throws -> Reply {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard client >= 0 else { throw Failure("socket") }
        defer { close(client) }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &peer.sin_addr)

        let begin = ContinuousClock.now
        let connected = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure("connect to \(address):\(port)") }
        guard send(client, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            throw Failure("send to \(address):\(port)")
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        var first: Duration?
        repeat {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count >= 0 else { throw Failure("no answer from \(address):\(port)") }
            first = first ?? (ContinuousClock.now - begin)
            guard count > 0 else { break }
            answer += buffer[..<count]
        } while !isComplete(answer)
        return Reply(text: String(decoding: answer, as: UTF8.self), seconds: (first ?? .zero).seconds)
    }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
