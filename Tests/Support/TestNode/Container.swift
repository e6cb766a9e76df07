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

    /// Its root file system, as the node sees it.
    package var files: String { "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(id)/rootfs" }

    package func start() async throws { try await cri.startContainer(id) }

    package func exec(_ command: String...) async throws -> ExecResult { try await cri.execSync(id, command) }

    package func status() async throws -> ContainerStatus { try await cri.containerStatus(id) }

    package func stats() async throws -> ContainerStats { try await cri.containerStats(id) }

    package func stop(timeout: Int = 2) async throws { try await cri.stopContainer(id, timeout: timeout) }

    package func remove() async throws { try await cri.removeContainer(id) }

    /// Waits until containerd has seen the container end.
    package func awaitExit(within deadline: Duration = .seconds(60)) async throws -> ContainerStatus {
        try await eventually("\(name) ends", within: deadline) {
            let status = try await status()
            return status.state == .exited ? status : nil
        }
    }

    /// As the container itself sees it, under either version of cgroups.
    package func memoryLimit() async throws -> Int? {
        let limit = try await exec(
            "sh", "-c", "cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes 2>/dev/null")
        return Int(limit.stdout.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The container's log on the node, seen from outside.
    private var logFile: URL {
        pod.node.state.appending(path: pod.config.logDirectory.dropFirst("/var/".count)).appending(path: logPath)
    }

    /// What the container printed since its log was last rotated.
    package func log() throws -> [LogLine] {
        String(decoding: try Data(contentsOf: logFile), as: UTF8.self).split(separator: "\n").map(LogLine.init)
    }

    /// The first half of what the kubelet does with a log that is too long; the second is to reopen it.
    package func rotateLog() throws {
        try FileManager.default.moveItem(at: logFile, to: logFile.appendingPathExtension("1"))
    }

    package func awaitLog(_ text: String, within deadline: Duration = .seconds(60)) async throws {
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

extension Container {
    /// The shim that serves the container, spoken to without containerd.
    package func shim() async throws -> ShimClient {
        let bundle = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(id)"
        let address = try await pod.node.run("cat", "\(bundle)/address").trimmed
        return ShimClient(socket: pod.node.root + address.dropFirst("unix://".count))
    }
}
