import Protobuf

package struct TaskCreate: TaskEvent {
    package static var name: String { "containerd.events.TaskCreate" }
    package static var topic: String { "/tasks/create" }

    package var containerID = ""
    package var bundle = ""
    package var rootfs: [Mount] = []
    package var io: TaskIO?
    package var checkpoint = ""
    package var pid: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "bundle", &bundle)
        try fields(3, "rootfs", &rootfs)
        try fields(4, "io", &io)
        try fields(5, "checkpoint", &checkpoint)
        try fields(6, "pid", &pid)
    }
}

/// Part of `TaskCreate`.
package struct TaskIO: Message {
    package static var name: String { "containerd.events.TaskIO" }

    package var stdin = ""
    package var stdout = ""
    package var stderr = ""
    package var terminal = false

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "stdin", &stdin)
        try fields(2, "stdout", &stdout)
        try fields(3, "stderr", &stderr)
        try fields(4, "terminal", &terminal)
    }
}

package struct TaskStart: TaskEvent {
    package static var name: String { "containerd.events.TaskStart" }
    package static var topic: String { "/tasks/start" }

    package var containerID = ""
    package var pid: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "pid", &pid)
    }
}

/// A process has ended.
package struct TaskExit: TaskEvent {
    package static var name: String { "containerd.events.TaskExit" }
    package static var topic: String { "/tasks/exit" }

    package var containerID = ""
    /// The exec, or the container's id for its init process.
    package var id = ""
    package var pid: UInt32 = 0
    package var exitStatus: UInt32 = 0
    package var exitedAt: Timestamp?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "id", &id)
        try fields(3, "pid", &pid)
        try fields(4, "exit_status", &exitStatus)
        try fields(5, "exited_at", &exitedAt)
    }
}

package struct TaskDelete: TaskEvent {
    package static var name: String { "containerd.events.TaskDelete" }
    package static var topic: String { "/tasks/delete" }

    package var containerID = ""
    package var pid: UInt32 = 0
    package var exitStatus: UInt32 = 0
    package var exitedAt: Timestamp?
    /// The exec; empty for the container.
    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "pid", &pid)
        try fields(3, "exit_status", &exitStatus)
        try fields(4, "exited_at", &exitedAt)
        try fields(5, "id", &id)
    }
}
