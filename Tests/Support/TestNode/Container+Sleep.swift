import Commands
import Foundation

/// What the shim logs of a container. It writes into containerd's log, of which what is older than the pod is left out.
extension Container {
    /// The lines that name this container.
    package func shimLog() throws -> [String] {
        try pod.containerdLog().split(separator: "\n").filter { $0.contains("container=\"\(id)\"") }.map(String.init)
    }

    /// Waits until the container has fallen asleep for the time of that number. The log is behind the events, so
    /// "asleep now" could be the sleep before; a number cannot.
    package func awaitSleep(_ number: Int = 1, within deadline: Duration = .seconds(60)) async throws {
        try await eventually("\(name) falls asleep, time \(number)", within: deadline) {
            try shimLog().count { $0.contains("msg=\"scaled down\"") } >= number
        }
    }

    /// For a container that has ended: of one that lives its shim tells, and is never behind.
    package func hasLogged(_ message: String) throws -> Bool {
        try shimLog().contains { $0.contains("msg=\"\(message)\"") }
    }

    package func awaitShimLog(
        _ text: String, times: Int = 1, within deadline: Duration = .seconds(60)
    ) async throws {
        try await eventually("the shim says '\(text)' of \(name)", within: deadline) {
            try shimLog().count { $0.contains(text) } >= times
        }
    }

    /// Where its images are while it sleeps, seen from outside.
    package var snapshot: URL { pod.node.state.appending(path: "zeropod/k8s.io/\(id)") }

    /// Waits for the moment at which a checkpoint has begun to write its images.
    package func awaitCheckpointBegin() async throws {
        try await eventually("a checkpoint of \(name) begins", every: .milliseconds(1)) {
            FileManager.default.fileExists(atPath: snapshot.appending(path: "images").path())
        }
    }
}

extension Pod {
    /// What containerd and all shims have logged since this pod was made.
    package func containerdLog() throws -> String {
        let file = try FileHandle(forReadingFrom: node.state.appending(path: "log/containerd.log"))
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(logStart))
        return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    }
}
