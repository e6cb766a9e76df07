import CRI
import Commands
import Foundation
import TestNode

/// What runs in a container, and counts how often it was asked: a state that a sleep must not lose.
enum Application: String, CaseIterable {
    case python, nginx, redis, prefork

    var image: String {
        switch self {
        case .python, .prefork: "python"
        case .nginx, .redis: rawValue
        }
    }

    /// Each runs as any user, and writes to /tmp alone.
    var command: [String] {
        switch self {
        case .python: []
        case .nginx: ["nginx", "-e", "stderr", "-c", "/applications/nginx.conf"]
        case .redis: ["redis-server", "--bind", "* -::*", "--protected-mode", "no", "--save", "", "--dir", "/tmp"]
        case .prefork: ["python3", "/applications/prefork.py"]
        }
    }

    /// Asks it once.
    /// - Returns: how often it has been asked.
    func ask(_ pod: Pod) async throws -> Int {
        let answer: String
        switch self {
        case .python: return try await pod.node.get(pod.ip4, port: 8080).json(ServerState.self).counter
        case .nginx, .prefork: answer = try await pod.node.get(pod.ip4, port: 8080).text
        case .redis: answer = try await pod.node.redis(pod.ip4, "INCR", "asked")
        }
        guard let count = Int(answer) else { throw Surprise("it answers '\(answer)'") }
        return count
    }
}

/// What is not as it should be.
struct Surprise: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
