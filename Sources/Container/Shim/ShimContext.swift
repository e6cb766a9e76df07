import Checkpoint
import Linux
import StdIO

/// What all parts of one shim process share.
package final class ShimContext {
    package let loop: EventLoop
    package let children: Children
    package let log: Log
    /// containerd's namespace: `k8s.io`, `default`, ….
    package let namespace: String
    package let paths: Paths
    package let publish: (ContainerEvent) -> Void
    let networks = PodNetworks()
    /// What the node's operator allows.
    package let policy: NodePolicy
    let wakeGate: WakeGate
    let outside: Outside
    /// Told when a container has changed in what its status shows.
    package var changed: () -> Void = {}

    package init(
        loop: EventLoop, children: Children, log: Log, namespace: String, paths: Paths = Paths(),
        policy: NodePolicy = NodePolicy(), outside: Outside? = nil, publish: @escaping (ContainerEvent) -> Void
    ) {
        self.loop = loop
        self.children = children
        self.log = log
        self.namespace = namespace
        self.paths = paths
        self.policy = policy
        self.outside = outside ?? Outside(paths, loop: loop, children: children)
        wakeGate = WakeGate(paths.wakes, atOnce: policy.wakesAtOnce, loop: loop)
        self.publish = publish
    }

    func imageRules(pod: String) -> ImageRules {
        ImageRules(
            place: paths.snapshots, pod: pod, ofPod: policy.podImages, ofNode: policy.nodeImages,
            failedAge: Int(clamping: policy.failedImages / 1_000_000_000), areEncrypted: policy.encryptImages)
    }

    /// Images of failed restores that nobody has looked at for long go when a shim starts, and before a checkpoint.
    package func removeAgedFailures() {
        Snapshot(directory: paths.snapshots, rules: imageRules(pod: "")).removeAgedFailures()
    }

    /// Where things are on a node.
    package struct Paths: Sendable {
        /// Images of sleeping containers.
        package var snapshots = "/var/lib/zeropod"
        /// A file for each container of the node that is being restored, or waits for its turn.
        package var wakes = "/run/zeropod/wakes"
        /// Where the installer puts criu, which is beside the shim; PATH is searched after it.
        package var programs = Self.ownDirectory ?? "/opt/zeropod/bin"

        package init() {}

        private static var ownDirectory: String? {
            guard let program = try? Files.target(ofLink: "/proc/self/exe"), let end = program.lastIndex(of: "/") else {
                return nil
            }
            return String(program[..<end])
        }

        package func snapshot(namespace: String, container: String) -> String {
            "\(snapshots)/\(namespace)/\(container)"
        }

        package func program(_ name: String) -> String? {
            Command.find("\(programs)/\(name)") ?? Command.find(name)
        }
    }
}
