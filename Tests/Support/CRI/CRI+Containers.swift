import Foundation

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
    package var privileged = false
    package var resources = Resources()

    package struct Mount: Sendable {
        package var hostPath: String
        package var containerPath: String
        package var readOnly = false

        package init(hostPath: String, containerPath: String, readOnly: Bool = false) {
            self.hostPath = hostPath
            self.containerPath = containerPath
            self.readOnly = readOnly
        }
    }

    // The kubelet's defaults; each is a mount, which checkpoints must bear.
    private static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    private static let readOnlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]

    package init(name: String, image: String) {
        self.name = name
        self.image = image
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
                }
            }
            $0.set(9, labels)
            $0.set(10, annotations)
            $0.set(11, logPath)
            $0.set(12, stdin)
            $0.set(14, terminal)
            $0.set(15) {
                $0.set(1, resources.message)
                $0.set(2) {
                    $0.set(2, privileged)
                    $0.set(3, namespaces)
                    if !privileged {
                        $0.set(13, Self.maskedPaths)
                        $0.set(14, Self.readOnlyPaths)
                    }
                }
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

package enum ContainerState: Int, Sendable {
    case created, running, exited, unknown
}

package struct ContainerStatus: Sendable {
    package let state: ContainerState
    package let exitCode: Int
    package let reason: String
    package let message: String
    /// What containerd adds when asked to be verbose: JSON with the pid, the runtime's options and the OCI spec.
    package let info: Data
}

package struct ContainerStats: Sendable {
    package let cpuNanoseconds: Int
    package let workingSetBytes: Int
    package let usageBytes: Int
}

package struct ExecResult: Sendable {
    package let stdout: String
    package let stderr: String
    package let exitCode: Int
}

extension CRI {
    /// Returns the container's id.
    package func createContainer(_ config: ContainerConfig, in sandbox: String, _ pod: PodConfig) async throws -> String
    {
        try await call("CreateContainer") {
            $0.set(1, sandbox)
            $0.set(2, config.message)
            $0.set(3, pod.message)
        }.string(1)
    }

    package func startContainer(_ id: String) async throws {
        _ = try await call("StartContainer") { $0.set(1, id) }
    }

    /// SIGTERM, and SIGKILL after so many seconds.
    package func stopContainer(_ id: String, timeout: Int = 2) async throws {
        _ = try await call("StopContainer") {
            $0.set(1, id)
            $0.set(2, timeout)
        }
    }

    package func removeContainer(_ id: String) async throws {
        _ = try await call("RemoveContainer") { $0.set(1, id) }
    }

    package func containerStatus(_ id: String) async throws -> ContainerStatus {
        let reply = try await call("ContainerStatus") {
            $0.set(1, id)
            $0.set(2, true)
        }
        let status = reply.message(1)
        return ContainerStatus(
            state: ContainerState(rawValue: status.integer(3)) ?? .unknown, exitCode: status.integer(7),
            reason: status.string(10), message: status.string(11), info: Data((reply.map(2)["info"] ?? "").utf8))
    }

    package func listContainers() async throws -> [(id: String, name: String, state: ContainerState)] {
        try await call("ListContainers").messages(1).map {
            ($0.string(1), $0.message(3).string(1), ContainerState(rawValue: $0.integer(6)) ?? .unknown)
        }
    }

    package func execSync(_ id: String, _ command: [String], timeout: Int = 20) async throws -> ExecResult {
        let reply = try await call("ExecSync") {
            $0.set(1, id)
            $0.set(2, command)
            $0.set(3, timeout)
        }
        return ExecResult(stdout: reply.string(1), stderr: reply.string(2), exitCode: reply.integer(3))
    }

    package func containerStats(_ id: String) async throws -> ContainerStats {
        let stats = try await call("ContainerStats") { $0.set(1, id) }.message(1)
        let memory = stats.message(3)
        return ContainerStats(
            cpuNanoseconds: stats.message(2).message(2).integer(1),
            workingSetBytes: memory.message(2).integer(1), usageBytes: memory.message(4).integer(1))
    }

    package func updateContainerResources(_ id: String, _ resources: Resources) async throws {
        _ = try await call("UpdateContainerResources") {
            $0.set(1, id)
            $0.set(2, resources.message)
        }
    }

    package func reopenContainerLog(_ id: String) async throws {
        _ = try await call("ReopenContainerLog") { $0.set(1, id) }
    }
}
