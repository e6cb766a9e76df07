/// What the kubelet would say about a container. Empty command and arguments leave the image's own.
package struct ContainerConfig: Sendable {
    package var name: String
    package var image: String
    package var command: [String] = []
    package var arguments: [String] = []
    package var environment: [String: String] = [:]
    package var workingDirectory = ""
    package var annotations: [String: String] = [:]
    package var labels: [String: String] = [:]
    package var mounts: [Mount] = []
    package var terminal = false
    package var stdin = false
    package var privileged: Bool {
        get { security.privileged }
        set { security.privileged = newValue }
    }
    package var security = SecurityContext()
    package var devices: [Device] = []
    package var resources = Resources()

    package struct Mount: Sendable {
        package var hostPath: String
        package var containerPath: String
        package var readOnly = false
        package var propagation = Propagation.private

        package init(hostPath: String, containerPath: String, readOnly: Bool = false) {
            self.hostPath = hostPath
            self.containerPath = containerPath
            self.readOnly = readOnly
        }
    }

    package init(name: String, image: String) {
        self.name = name
        self.image = image
    }

    /// Whether mounts that are made later pass from the node into the container, or both ways; by CRI's numbers.
    package enum Propagation: Int, Sendable, CaseIterable {
        case `private`, fromNode, bothWays
    }

    package struct Device: Sendable {
        package var hostPath: String
        package var containerPath: String
        package var permissions: String

        package init(hostPath: String, containerPath: String, permissions: String = "rwm") {
            self.hostPath = hostPath
            self.containerPath = containerPath
            self.permissions = permissions
        }
    }

    /// Where the container's log is, below the pod's log directory.
    package var logPath: String { "\(name)/0.log" }

    var message: Message {
        Message {
            $0.set(1) { $0.set(1, name) }
            $0.set(2) { $0.set(1, image) }
            $0.set(3, command)
            $0.set(4, arguments)
            $0.set(5, workingDirectory)
            $0.set(6, environment)
            for mount in mounts {
                $0.set(7) {
                    $0.set(1, mount.containerPath)
                    $0.set(2, mount.hostPath)
                    $0.set(3, mount.readOnly)
                    $0.set(5, mount.propagation.rawValue)
                }
            }
            for device in devices {
                $0.set(8) {
                    $0.set(1, device.containerPath)
                    $0.set(2, device.hostPath)
                    $0.set(3, device.permissions)
                }
            }
            $0.set(9, labels)
            $0.set(10, annotations)
            $0.set(11, logPath)
            $0.set(12, stdin)
            $0.set(14, terminal)
            $0.set(15) {
                $0.set(1, resources.message)
                $0.set(2, security.message)
            }
        }
    }
}

package struct Resources: Sendable {
    package var cpuPeriod = 0
    package var cpuQuota = 0
    package var cpuShares = 0
    package var memoryLimit = 0
    package var oomScoreAdjustment = 0

    package init() {}

    var message: Message {
        Message {
            $0.set(1, cpuPeriod)
            $0.set(2, cpuQuota)
            $0.set(3, cpuShares)
            $0.set(4, memoryLimit)
            $0.set(5, oomScoreAdjustment)
        }
    }
}
