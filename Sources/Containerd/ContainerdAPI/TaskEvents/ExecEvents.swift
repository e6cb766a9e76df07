import Protobuf

package struct TaskExecAdded: TaskEvent {
    package static var name: String { "containerd.events.TaskExecAdded" }
    package static var topic: String { "/tasks/exec-added" }

    package var containerID = ""
    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "exec_id", &execID)
    }
}

package struct TaskExecStarted: TaskEvent {
    package static var name: String { "containerd.events.TaskExecStarted" }
    package static var topic: String { "/tasks/exec-started" }

    package var containerID = ""
    package var execID = ""
    package var pid: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "container_id", &containerID)
        try fields(2, "exec_id", &execID)
        try fields(3, "pid", &pid)
    }
}
