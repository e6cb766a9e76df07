import Protobuf

package struct StateRequest: Message {
    package static var name: String { "containerd.task.v2.StateRequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
    }
}

package struct StateResponse: Message {
    package static var name: String { "containerd.task.v2.StateResponse" }

    package var id = ""
    package var bundle = ""
    package var pid: UInt32 = 0
    package var status = TaskStatus.unknown
    package var stdin = ""
    package var stdout = ""
    package var stderr = ""
    package var terminal = false
    package var exitStatus: UInt32 = 0
    package var exitedAt: Timestamp?
    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "bundle", &bundle)
        try fields(3, "pid", &pid)
        try fields(4, "status", &status)
        try fields(5, "stdin", &stdin)
        try fields(6, "stdout", &stdout)
        try fields(7, "stderr", &stderr)
        try fields(8, "terminal", &terminal)
        try fields(9, "exit_status", &exitStatus)
        try fields(10, "exited_at", &exitedAt)
        try fields(11, "exec_id", &execID)
    }
}
