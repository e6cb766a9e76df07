import Protobuf

/// The kernel killed a process of the container for want of memory.
package struct TaskOOM: TaskEvent {
    package static var name: String { "containerd.events.TaskOOM" }
    package static var topic: String { "/tasks/oom" }

    package var containerID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
    }
}

package struct TaskPaused: TaskEvent {
    package static var name: String { "containerd.events.TaskPaused" }
    package static var topic: String { "/tasks/paused" }

    package var containerID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
    }
}

package struct TaskResumed: TaskEvent {
    package static var name: String { "containerd.events.TaskResumed" }
    package static var topic: String { "/tasks/resumed" }

    package var containerID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
    }
}

package struct TaskCheckpointed: TaskEvent {
    package static var name: String { "containerd.events.TaskCheckpointed" }
    package static var topic: String { "/tasks/checkpointed" }

    package var containerID = ""
    /// The path that the images were written to.
    package var checkpoint = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "checkpoint", &checkpoint)
    }
}
