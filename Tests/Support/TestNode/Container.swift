import CRI
import Commands
import Foundation

package struct Container: Sendable {
    package let pod: Pod
    package let id: String
    package let name: String
    /// Below the pod's log directory.
    let logPath: String

    private var cri: CRI { pod.node.cri }

    package func exec(_ command: String...) async throws -> ExecResult { try await cri.execSync(id, command) }

    package func status() async throws -> ContainerStatus { try await cri.containerStatus(id) }

    package func stats() async throws -> ContainerStats { try await cri.containerStats(id) }

    package func stop(timeout: Int = 2) async throws { try await cri.stopContainer(id, timeout: timeout) }

    package func remove() async throws { try await cri.removeContainer(id) }

    /// What the container printed so far, without the time stamps that containerd puts before each line.
    package func log() throws -> [LogLine] {
        let path = pod.config.logDirectory.replacing(/^\/var\/log/, with: "")
        let file = pod.node.state.appending(path: "log\(path)/\(logPath)")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "\n").map(LogLine.init)
    }

    package func awaitLog(_ text: String, within deadline: Duration = .seconds(20)) async throws {
        try await eventually("\(name) logs '\(text)'", within: deadline) {
            try log().contains { $0.text.contains(text) }
        }
    }

    /// The pid of the container's init as containerd has it, in the node's pid namespace.
    package func pid() async throws -> Int {
        struct Info: Decodable { let pid: Int }
        return try JSONDecoder().decode(Info.self, from: try await status().info).pid
    }
}

/// A line of a container's log: "<time> <stream> <F or P> <text>".
package struct LogLine: Sendable {
    package let stream: String
    package let text: String

    init(_ line: Substring) {
        let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        stream = fields.count > 1 ? fields[1] : ""
        text = fields.count > 3 ? fields[3] : ""
    }
}
