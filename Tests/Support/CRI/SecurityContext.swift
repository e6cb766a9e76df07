/// Whose namespace a container is in, by CRI's numbers.
package enum NamespaceMode: Int, Sendable {
    case pod, container, node, target
}

/// Which namespaces a pod or container has. As the kubelet asks by default: network and IPC of the pod, a pid
/// namespace for each container.
package struct NamespaceOptions: Sendable {
    package var network = NamespaceMode.pod
    package var pid = NamespaceMode.container
    package var ipc = NamespaceMode.pod
    /// The container whose processes are shared, for `.target`.
    package var target = ""
    /// `hostUsers: false`: the first id of the range that the pod's 65536 users are mapped to.
    package var userRange: Int?

    package init() {}

    var message: Message {
        Message {
            $0.set(1, network.rawValue)
            $0.set(2, pid.rawValue)
            $0.set(3, ipc.rawValue)
            $0.set(4, target)
            guard let userRange else { return }
            let mapping = Message {
                $0.set(1, userRange)
                $0.set(3, 65_536)
            }
            $0.set(5) {
                $0.set(2, mapping)
                $0.set(3, mapping)
            }
        }
    }
}

/// A seccomp or AppArmor profile, by CRI's numbers.
package enum SecurityProfile: Sendable {
    case runtimeDefault
    case unconfined
    /// A file of the node (seccomp), or a loaded profile's name (AppArmor).
    case localhost(String)

    var message: Message {
        Message {
            switch self {
            case .runtimeDefault: break
            case .unconfined: $0.set(1, 1)
            case .localhost(let reference):
                $0.set(1, 2)
                $0.set(2, reference)
            }
        }
    }
}

/// The security context of a container.
package struct SecurityContext: Sendable {
    package var privileged = false
    package var namespaces = NamespaceOptions()
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    package var user: Int?
    package var userName = ""
    package var group: Int?
    package var supplementalGroups: [Int] = []
    package var readOnlyRoot = false
    package var noNewPrivileges = false
    package var seccomp: SecurityProfile?
    package var appArmor: SecurityProfile?
    /// Besides those of the kubelet.
    package var readOnlyPaths: [String] = []

    package init() {}

    // The kubelet's defaults; each is a mount, which checkpoints must bear.
    private static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    private static let usualReadOnlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]

    var message: Message {
        Message {
            $0.set(1) {
                $0.set(1, addedCapabilities)
                $0.set(2, droppedCapabilities)
            }
            $0.set(2, privileged)
            $0.set(3, namespaces.message)
            // A number in a message of its own, so that 0 can be told from none.
            if let user { $0.set(5) { $0.set(1, user) } }
            $0.set(6, userName)
            $0.set(7, readOnlyRoot)
            for group in supplementalGroups { $0.set(8, group) }
            $0.set(11, noNewPrivileges)
            if let group { $0.set(12) { $0.set(1, group) } }
            if !privileged {
                $0.set(13, Self.maskedPaths)
                $0.set(14, Self.usualReadOnlyPaths + readOnlyPaths)
            }
            if let seccomp { $0.set(15, seccomp.message) }
            if let appArmor { $0.set(16, appArmor.message) }
        }
    }
}
