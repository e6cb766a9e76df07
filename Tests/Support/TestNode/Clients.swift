import Commands
import Foundation

/// From where a connection to a pod comes.
package enum Origin: Sendable {
    /// The node itself, as the kubelet and other pods' proxies do.
    case node
    /// A namespace beyond the node, whose packets are routed to the pod.
    case outside
    /// The pod's own network namespace: its address is reached through lo.
    case pod(Pod)

    var prefix: [String] {
        switch self {
        case .node: []
        case .outside: ["ip", "netns", "exec", "client"]
        case .pod(let pod): ["nsenter", "--net=\(pod.networkNamespace)"]
        }
    }
}

/// What a client got for one HTTP request, and how long it took.
package struct HTTPReply: Sendable {
    package let body: Data
    package let code: Int
    package let seconds: Double

    package var text: String { String(decoding: body, as: UTF8.self) }

    package func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: body)
    }
}

extension TestNode {
    /// One request on a connection of its own; throws when there is no HTTP answer.
    package func get(
        _ address: String, port: Int, path: String = "/", from origin: Origin = .node,
        options: [String] = [], deadline: Duration = .seconds(60)
    ) async throws -> HTTPReply {
        let host = address.contains(":") ? "[\(address)]" : address
        let output = try await Command.run(
            command(
                origin.prefix + [
                    "curl", "--silent", "--show-error", "--globoff", "--write-out", "\n%{http_code} %{time_total}",
                ] + options + [
                    "http://\(host):\(port)\(path)"
                ]), deadline: deadline)
        let end = output.stdout.lastIndex(of: UInt8(ascii: "\n")) ?? output.stdout.startIndex
        let measured = String(decoding: output.stdout[end...].dropFirst(), as: UTF8.self).split(separator: " ")
        return HTTPReply(
            body: output.stdout[..<end], code: measured.first.flatMap { Int($0) } ?? 0,
            seconds: measured.last.flatMap { Double($0) } ?? 0)
    }

    /// One redis command, its answer as redis-cli prints it.
    package func redis(
        _ address: String, _ arguments: String..., from origin: Origin = .node, deadline: Duration = .seconds(60)
    ) async throws -> String {
        try await Command.run(
            command(origin.prefix + ["redis-cli", "-h", address] + arguments), deadline: deadline
        ).trimmed
    }
}

/// What the python image's server says of itself.
package struct ServerState: Decodable, Sendable, Equatable {
    package let counter: Int
    package let pid: Int
    package let directory: String
    package let greeting: String
    package let descriptors: Int
    package let offset: Int
    package let text: String
    package let client: String
    package let clientPort: Int
    package let port: Int
}
