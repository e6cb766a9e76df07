import CRI

/// Who runs in a container, and how it sleeps.
enum Way: String, CaseIterable {
    /// As containerd has it if nobody asks for anything else.
    case root
    /// What the Pod Security Standard "restricted" asks for: runAsNonRoot, no capabilities, seccomp RuntimeDefault; and a
    /// volume that the user may write by a supplemental group (fsGroup) alone.
    case user
    /// The same user, whose processes stand still and are not checkpointed.
    case frozen

    var annotations: [String: String] {
        var all = ["zeropod.ctrox.dev/scaledown-duration": "1h"]
        if self == .frozen { all["zeropod.ctrox.dev/sleep"] = "freeze" }
        return all
    }

    /// What `id` says in the container.
    var identity: String { self == .root ? "uid=0 gid=0 groups=0" : "uid=1000 gid=1000 groups=1000,2000,3000" }

    /// - Parameter volume: a directory of the node, of the group 2000.
    func adjust(_ container: inout ContainerConfig, volume: String) {
        container.mounts = [
            .init(hostPath: "/applications", containerPath: "/applications", readOnly: true),
            .init(hostPath: volume, containerPath: "/tmp"),
        ]
        guard self != .root else { return }
        container.security.user = 1000
        container.security.group = 1000
        container.security.supplementalGroups = [2000, 3000]
        container.security.droppedCapabilities = ["ALL"]
        container.security.noNewPrivileges = true
        container.security.readOnlyRoot = true
        container.security.seccomp = .runtimeDefault
        container.resources.memoryLimit = 300 << 20
        container.resources.oomScoreAdjustment = 900
    }
}
