import Commands
import Foundation

/// `zeropod node` on a test node.
package struct NodeDaemon: Sendable {
    private let node: TestNode
    private let port: Int
    private let pid: Int
    /// On the node.
    package let log: String

    /// Starts it, and waits until it says that it is ready.
    package static func start(on node: TestNode, port: Int, _ flags: String...) async throws -> NodeDaemon {
        let log = "/var/log/zeropod-node-\(port).log"
        let words = (["--metrics-addr", "127.0.0.1:\(port)", "--debug"] + flags).map { "'\($0)'" }
        let command = "setsid /opt/zeropod/bin/zeropod node \(words.joined(separator: " "))"
        let pid = try await node.shell("\(command) >>\(log) 2>&1 </dev/null & echo $!").trimmed
        let daemon = NodeDaemon(node: node, port: port, pid: Int(pid) ?? 0, log: log)
        do {
            try await eventually("the daemon is ready") { try await daemon.get("/readyz") == "ok\n" }
        } catch {
            let said = try? await node.run("cat", log).text
            try? await daemon.kill()
            throw NotReady(description: "\(error)\n\(said ?? "")")
        }
        return daemon
    }

    private struct NotReady: Error, CustomStringConvertible {
        let description: String
    }

    package func get(_ path: String) async throws -> String {
        try await node.get("127.0.0.1", port: port, path: path).text
    }

    /// Without a chance to put anything in order.
    package func kill(_ signal: String = "KILL") async throws {
        try await node.shell(
            "kill -\(signal) \(pid); while kill -0 \(pid) 2>/dev/null; do sleep 0.05; done", expecting: nil)
    }

    /// The samples of the pod, without its labels `pod` and `namespace`: `zeropod_running{container="a"}` → `1`.
    package func metrics(of pod: Pod) async throws -> [String: String] {
        let labels = ",pod=\"\(pod.config.name)\",namespace=\"default\""
        let lines = try await get("/metrics").split(separator: "\n").filter { $0.contains(labels) }
        let pairs = lines.map { line in
            let words = line.replacing(labels, with: "").split(separator: " ")
            return (words.dropLast().joined(separator: " "), words.last.map(String.init) ?? "")
        }
        return Dictionary(pairs) { first, _ in "twice: \(first)" }
    }
}
