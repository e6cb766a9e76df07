import Commands
import TestNode

extension Cluster {
    /// The namespace of the DaemonSet.
    package static let system = "zeropod-system"

    /// Apply, label, done.
    package func install() async throws {
        try await kubectl("apply", "-k", "/opt/checkout/config/production")
        try await label()
    }

    /// Labels the node, and waits until the runtime is on it.
    package func label() async throws {
        try await kubectl("label", "node", "--all", "zeropod.ctrox.dev/node=true")
        try await awaitRollout("daemonset/zeropod-node", in: Self.system)
    }

    package func awaitRollout(_ object: String, in namespace: String = "default") async throws {
        try await kubectl(
            "rollout", "status", "-n", namespace, object, "--timeout=240s", deadline: .seconds(250))
    }

    /// Whether a container of that name sleeps in a pod whose name begins so, as the program on the node says.
    package func isAsleep(_ pod: String, in namespace: String = "default") async throws -> Bool {
        try await node.run("/opt/zeropod/bin/zeropod", "status").lines.contains { line in
            line.hasPrefix("\(namespace)/\(pod)") && line.contains(" asleep ")
        }
    }

    package func awaitSleep(_ pod: String = "web", in namespace: String = "default") async throws {
        try await eventually("\(pod) falls asleep", within: .seconds(120)) { try await isAsleep(pod, in: namespace) }
    }
}
