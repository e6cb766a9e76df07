import Foundation

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

    package func execSync(_ id: String, _ command: [String], timeout: Int = 120) async throws -> ExecResult {
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

    /// As the kubelet's checkpoint API does it; `archive` is a path on the node.
    package func checkpointContainer(_ id: String, to archive: String) async throws {
        _ = try await call("CheckpointContainer") {
            $0.set(1, id)
            $0.set(2, archive)
        }
    }

    package func reopenContainerLog(_ id: String) async throws {
        _ = try await call("ReopenContainerLog") { $0.set(1, id) }
    }
}
