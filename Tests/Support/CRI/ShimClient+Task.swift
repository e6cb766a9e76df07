import Foundation

/// What State says of a process, by the numbers of containerd's API.
package enum TaskStatus: Int, Sendable {
    case unknown, created, running, stopped, paused, pausing
}

/// What Stats says of memory and processor time.
package struct TaskStats: Sendable {
    package let cpuNanoseconds: Int
    package let memoryUsage: Int
    package let memoryLimit: Int
}

/// The calls, each with what tests want to know of its answer. An empty `exec` means the container's init.
extension ShimClient {
    package func state(_ id: String, exec: String = "") async throws -> (
        status: TaskStatus, pid: Int, exitStatus: Int
    ) {
        let reply = try await call("State") {
            $0.set(1, id)
            $0.set(2, exec)
        }
        return (TaskStatus(rawValue: reply.integer(4)) ?? .unknown, reply.integer(3), reply.integer(9))
    }

    package func pids(_ id: String) async throws -> [Int] {
        try await call("Pids") { $0.set(1, id) }.messages(1).map { $0.integer(1) }
    }

    package func connect(_ id: String) async throws -> (shim: Int, task: Int) {
        let reply = try await call("Connect") { $0.set(1, id) }
        return (reply.integer(1), reply.integer(2))
    }

    /// Of either version of cgroups: the type tells which.
    package func stats(_ id: String) async throws -> TaskStats {
        let packed = try await call("Stats") { $0.set(1, id) }.message(1)
        let metrics = Message(packed.data(2))
        if packed.string(1).contains("v1") {
            let memory = metrics.message(4).message(33)
            return TaskStats(
                cpuNanoseconds: metrics.message(3).message(1).integer(1), memoryUsage: memory.integer(2),
                memoryLimit: memory.integer(1))
        }
        let memory = metrics.message(4)
        return TaskStats(
            cpuNanoseconds: metrics.message(2).integer(1) * 1000, memoryUsage: memory.integer(32),
            memoryLimit: memory.integer(33))
    }

    package func wait(_ id: String) async throws -> Int {
        try await call("Wait") { $0.set(1, id) }.integer(1)
    }

    package func kill(_ id: String, _ signal: Int32, all: Bool = false) async throws {
        _ = try await call("Kill") {
            $0.set(1, id)
            $0.set(3, Int(signal))
            $0.set(4, all)
        }
    }

    package func pause(_ id: String) async throws { _ = try await call("Pause") { $0.set(1, id) } }

    package func resume(_ id: String) async throws { _ = try await call("Resume") { $0.set(1, id) } }

    /// - Parameter resources: JSON.
    package func update(_ id: String, resources: String) async throws {
        _ = try await call("Update") {
            $0.set(1, id)
            $0.set(2) {
                $0.set(1, "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources")
                $0.set(2, resources)
            }
        }
    }

    package func resizePty(_ id: String, columns: Int, rows: Int) async throws {
        _ = try await call("ResizePty") {
            $0.set(1, id)
            $0.set(3, columns)
            $0.set(4, rows)
        }
    }

    package func closeStdin(_ id: String) async throws {
        _ = try await call("CloseIO") {
            $0.set(1, id)
            $0.set(3, true)
        }
    }

    /// - Parameter images: a directory of the node.
    package func checkpoint(_ id: String, images: String, exit: Bool = false) async throws {
        _ = try await call("Checkpoint") {
            $0.set(1, id)
            $0.set(2, images)
            $0.set(3) {
                $0.set(1, "containerd.runc.v1.CheckpointOptions")
                $0.set(2, Message { $0.set(1, exit) })
            }
        }
    }

    package func create(_ id: String, bundle: String) async throws {
        _ = try await call("Create") {
            $0.set(1, id)
            $0.set(2, bundle)
        }
    }

    package func exec(_ id: String, _ exec: String, arguments: [String]) async throws {
        let words = arguments.map { "\"\($0)\"" }.joined(separator: ",")
        _ = try await call("Exec") {
            $0.set(1, id)
            $0.set(2, exec)
            $0.set(7) {
                $0.set(1, "types.containerd.io/opencontainers/runtime-spec/1/Process")
                $0.set(2, "{\"args\":[\(words)],\"cwd\":\"/\",\"env\":[\"PATH=/bin:/usr/bin\"],\"user\":{}}")
            }
        }
    }

    package func start(_ id: String, exec: String = "") async throws -> Int {
        try await call("Start") {
            $0.set(1, id)
            $0.set(2, exec)
        }.integer(1)
    }

    package func delete(_ id: String, exec: String = "") async throws -> Int {
        try await call("Delete") {
            $0.set(1, id)
            $0.set(2, exec)
        }.integer(2)
    }

    /// Without `now`: as containerd asks when it has deleted a container.
    package func shutdown(_ id: String) async throws { _ = try await call("Shutdown") { $0.set(1, id) } }
}
