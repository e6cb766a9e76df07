import CRI
import Commands
import Foundation
import TestNode
import Testing

/// A container whose processes are compared with what they were.
enum Compared: String, Sendable, CaseIterable {
    /// As a namespace with the Pod Security Standard "restricted" wants it, but for the user in the first.
    case strictRoot, strictUser
    /// Root of a user namespace, with master and worker.
    case ownUsers
    /// Master and worker, with memory that they share.
    case nginx
    /// Processes and threads with everything set that can be set: the group `tasks`.
    case tasks

    var image: String { self == .nginx || self == .ownUsers ? "nginx" : "python" }

    var command: [String] { self == .tasks ? ["python3", "-u", "/fidelity/holder.py", "tasks"] : [] }

    var port: Int { image == "nginx" ? 80 : 8080 }

    private var firstUser: Int { 200_000 }

    func adjust(_ config: inout PodConfig) {
        if self == .ownUsers { config.namespaces.userRange = firstUser }
    }

    func adjust(_ config: inout ContainerConfig) {
        config.mounts = [.programs, .init(hostPath: "/run/as-it-was", containerPath: "/volume")]
        if self == .ownUsers { config.security.namespaces.userRange = firstUser }
        guard self == .strictRoot || self == .strictUser else { return }
        config.mounts.append(.init(hostPath: "/run/as-it-was", containerPath: "/tmp"))
        config.security.readOnlyRoot = true
        config.security.noNewPrivileges = true
        config.security.droppedCapabilities = ["ALL"]
        config.security.seccomp = .runtimeDefault
        config.security.supplementalGroups = [2000, 3000]
        config.resources.memoryLimit = 200 << 20
        config.resources.oomScoreAdjustment = 900
        guard self == .strictUser else { return }
        (config.security.user, config.security.group) = (1000, 1000)
    }
}

extension FidelityTests {
    /// A sleep changes nothing of what the kernel tells of a process, but what `Container.changes` lists.
    @Suite struct AsItWasTests {
        @Test(arguments: Compared.allCases, [Mode.eager, .lazy])
        func nothingChanges(_ compared: Compared, _ mode: Mode) async throws {
            let node = try await node(.current)
            let annotations = mode.annotations.merging(["scaledown-duration": "1h"]) { $1 }
            let named = Dictionary(uniqueKeysWithValues: annotations.map { ("zeropod.ctrox.dev/\($0)", $1) })
            try await node.shell("mkdir -p -m 1777 /run/as-it-was; rm -rf /run/as-it-was/*")
            try await node.withPod(
                "as-it-was", runtime: .zeropod, annotations: named, adjust: compared.adjust
            ) { pod in
                let container = try await pod.start(
                    "main", image: compared.image, command: compared.command, adjust: compared.adjust)
                // Twice: the first request has Python load what later ones have.
                for _ in 1...2 { try await answered(container, compared.port) }
                let before = try await ProcessView(of: container)
                for cycle in 1...3 {
                    try await container.zeropod("sleep", until: "asleep")
                    // Not by a request, which would itself change something.
                    try await container.zeropod("wake", until: "running")
                    for difference in before.differences(from: try await ProcessView(of: container)) {
                        Issue.record("\(compared), \(mode), wake \(cycle): \(difference)")
                    }
                }
                try await answered(container, compared.port)
            }
        }

        private func answered(_ container: Container, _ port: Int) async throws {
            let pod = container.pod
            try await eventually("an answer") {
                try await pod.node.get(pod.ip4, port: port, from: .outside).code == 200
            }
        }
    }
}
