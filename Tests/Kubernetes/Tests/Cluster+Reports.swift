import Commands
import TestCluster
import TestNode

/// What the daemon has told, and the cluster knows by that.
extension Cluster {
    /// A sample that the daemon serves.
    func metric(_ name: String, of pod: String) async throws -> String? {
        let daemon = try await value(".items[0].status.podIP", of: "pods", in: Cluster.system)
        let text = try await node.get(daemon, port: 8080, path: "/metrics").text
        return text.split(separator: "\n").first { $0.hasPrefix("\(name){") && $0.contains("pod=\"\(pod)\"") }?
            .split(separator: " ").last.map(String.init)
    }

    /// Does what must wake no sleeper. Only its probe may: on a slow machine that comes too late for an answer from memory, and
    /// the shim says so.
    func leavingAsleep(_ name: String, _ body: () async throws -> Void) async throws {
        let id = try await container(of: try await pod(name))
        func wakesForConnections() async throws -> Int {
            let count = "grep \(id) /var/log/containerd.log | grep -c 'a connection to port .* wakes: '"
            return Int(try await node.shell(count, expecting: nil).trimmed) ?? 0
        }
        let (wakes, forConnections) = (
            try await node.sleepReport(of: id).restores.count, try await wakesForConnections()
        )
        try await body()
        let more = try await node.sleepReport(of: id).restores.count - wakes
        if more == 0 { return }
        try await eventually("it was a probe that has woken \(name)") {
            try await wakesForConnections() - forConnections >= more
        }
    }

    func awaitLabel(_ value: String, of name: String) async throws {
        try await eventually("the label of \(name) says \(value)") {
            try await self.value(
                ".metadata.labels.status\\.zeropod\\.ctrox\\.dev/web", of: "pod/\(try await pod(name))") == value
        }
    }

    /// - Parameter address: Of its service, which is asked meanwhile so that it does not sleep again before it was looked at.
    func awaitRequests(_ requests: String, of name: String, keptAwakeBy address: String? = nil) async throws {
        try await eventually("the requests of \(name) are \(requests)", within: .seconds(120)) {
            if let address { _ = try await node.get(address, port: 80) }
            let path = ".spec.containers[0].resources.requests"
            let pod = "pod/\(try await pod(name))"
            let now = (try await value("\(path).cpu", of: pod), try await value("\(path).memory", of: pod))
            return "\(now.0) \(now.1)" == requests
        }
    }

    /// Waits until each change that the shim has counted has been told once, and nothing else.
    func awaitEvents(of pod: String, sleeps: Int) async throws {
        try await eventually("each sleep and each wake is told of once", within: .seconds(120)) {
            let reasons = try await reasonsTold(of: pod)
            let (told, wakes) = (reasons.count { $0 == "Scaled down" }, reasons.count { $0 == "Running" })
            let checkpoints = try await metric("zeropod_checkpoint_duration_seconds_count", of: pod)
            let restores = try await metric("zeropod_restore_duration_seconds_count", of: pod)
            return told >= sleeps && wakes >= sleeps - 1 && "\(told)" == checkpoints && "\(wakes)" == restores
                && reasons.count == told + wakes
        }
    }
}
