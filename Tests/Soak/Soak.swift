import Commands
import Foundation
import TestNode

/// The pods of a soak, and the clients that call them.
struct Soak {
    let node: TestNode
    let seconds: Int

    private struct Target {
        let name: String
        /// What soak.py is to expect of it.
        let service: String
        let image: String
        let command: [String]
        let handover: String
        let isIPv6: Bool

        init(
            _ name: String, _ service: String, image: String? = nil, command: [String] = [],
            handover: String = "accept-queue", isIPv6: Bool = false
        ) {
            self.name = name
            self.service = service
            self.image = image ?? service
            self.command = command
            self.handover = handover
            self.isIPv6 = isIPv6
        }
    }

    private static let nginx = ["nginx", "-c", "/etc/peers/nginx.conf"]
    private static let targets = [
        Target("peers", "peers"), Target("peers-relayed", "peers", handover: "relay", isIPv6: true),
        Target("nginx", "nginx", image: "peers", command: nginx, isIPv6: true),
        Target("nginx-relayed", "nginx", image: "peers", command: nginx, handover: "relay"),
        Target("redis", "redis"),
    ]
    /// Called at a pace, by nobody else.
    private static let paced = Target("paced", "nginx", image: "peers", command: nginx)

    struct Result {
        let table: String
        /// Kinds of clients that were served without an error.
        let passed: Int
        /// What went wrong; none if all is well.
        let problems: [String]
    }

    func run() async throws -> Result {
        var containers: [(Target, Container)] = []
        for target in Self.targets + [Self.paced] {
            let prefix = "zeropod.ctrox.dev/"
            let pod = try await node.runPod(
                target.name, runtime: .zeropod,
                annotations: ["\(prefix)scaledown-duration": Self.scaledown, "\(prefix)handover": target.handover])
            containers.append(
                (target, try await pod.start("server", image: target.image, command: target.command)))
        }
        for (_, container) in containers { try await container.awaitSleep() }
        var counts = Counts()
        let words = containers.dropLast().map { target, container in
            "\(target.name)=\(target.service)@\(target.isIPv6 ? container.pod.ip6 : container.pod.ip4)"
        }
        let (many, paced) = try await call(words, paced: containers.last?.1.pod.ip4 ?? "")
        try counts.take(many)
        counts.take(paced: paced)
        for (target, container) in containers {
            let report = try await container.sleepReport()
            counts.take(sleeps: report.checkpoints.count, wakes: report.restores.count, of: target.name)
            for line in try container.shimLog() where line.contains("level=error") { counts.problems.append(line) }
            try await container.pod.delete()
        }
        return Result(table: counts.table, passed: counts.passed, problems: counts.verdict)
    }

    /// All clients, to their end.
    private func call(_ words: [String], paced: String) async throws -> (many: Output, paced: String) {
        try await node.withPeers { clients in
            let deadline = Duration.seconds(seconds + 180)
            async let many = clients.command(
                ["python3", "-B", "/srv/soak.py", "\(seconds)"] + words, deadline: deadline)
            async let pace = clients.run("pace", paced, "\(Self.rate),\(seconds)", deadline: deadline)
            return (try await many, try await pace.text)
        }
    }

    /// As short as it may be: a client that is on a busy machine may take so long from its connection to its request, and
    /// a connection that is silent for longer is idle.
    private static let scaledown = "300ms"
    private static let rate = ProcessInfo.processInfo.environment["SOAK_RATE"].flatMap { Int($0) } ?? 1000
}
