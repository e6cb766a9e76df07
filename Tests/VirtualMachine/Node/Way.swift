import CRI
import Foundation

/// Who runs in a container, and how it sleeps.
enum Way: String, CaseIterable {
    /// As containerd has it if nobody asks for anything else.
    case root
    /// What the Pod Security Standard "restricted" asks for: runAsNonRoot, no capabilities, seccomp RuntimeDefault; and a
    /// volume that the user may write by a supplemental group (fsGroup) alone.
    case user
    /// Root of a user namespace (`hostUsers: false`), who is nobody outside.
    case userns
    /// The same as `user`, whose processes stand still and are not checkpointed.
    case frozen

    var annotations: [String: String] {
        var all = ["zeropod.ctrox.dev/scaledown-duration": "1h"]
        if self == .frozen { all["zeropod.ctrox.dev/sleep"] = "freeze" }
        return all
    }

    /// Whether a checkpoint is not tried, on any kernel.
    var isFrozen: Bool { self == .frozen }

    private var isRoot: Bool { self == .root || self == .userns }

    /// What `id` says in the container.
    var identity: String { isRoot ? "uid=0 gid=0 groups=0" : "uid=1000 gid=1000 groups=1000,2000,3000" }

    /// Whether this kernel has it: overlayfs shows layers under other owners since 5.19.
    var isPossible: Bool {
        self != .userns
            || ProcessInfo.processInfo.isOperatingSystemAtLeast(
                OperatingSystemVersion(majorVersion: 5, minorVersion: 19, patchVersion: 0))
    }

    /// The first id of the node that the container's users are.
    private var firstUser: Int? { self == .userns ? 200_000 : nil }

    /// That of a user's containers, as cgroup v2 has it.
    static let processorLimit = "90000 100000"

    /// What makes a volume that only the container may write.
    func makingVolume(_ path: String) -> String {
        firstUser.map { "install -d -m 770 -o \($0) -g \($0) \(path)" } ?? "install -d -m 2770 -g 2000 \(path)"
    }

    func adjust(_ pod: inout PodConfig) { pod.namespaces.userRange = firstUser }

    /// - Parameter volume: a directory of the node, made by `makingVolume`.
    func adjust(_ container: inout ContainerConfig, volume: String) {
        container.mounts = [
            .init(hostPath: "/applications", containerPath: "/applications", readOnly: true),
            .init(hostPath: volume, containerPath: "/tmp"),
        ]
        container.security.namespaces.userRange = firstUser
        guard !isRoot else { return }
        container.security.user = 1000
        container.security.group = 1000
        container.security.supplementalGroups = [2000, 3000]
        container.security.droppedCapabilities = ["ALL"]
        container.security.noNewPrivileges = true
        container.security.readOnlyRoot = true
        container.security.seccomp = .runtimeDefault
        container.resources.cpuQuota = 90_000
        container.resources.memoryLimit = 300 << 20
        container.resources.oomScoreAdjustment = 900
    }
}
