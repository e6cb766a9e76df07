import Protobuf

/// Forgets a stopped container or exec.
package struct DeleteRequest: Message {
    package static var name: String { "containerd.task.v2.DeleteRequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
    }
}

/// Also what the `delete` command of the shim prints.
package struct DeleteResponse: Message {
    package static var name: String { "containerd.task.v2.DeleteResponse" }

    package var pid: UInt32 = 0
    package var exitStatus: UInt32 = 0
    package var exitedAt: Timestamp?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "pid", &pid)
        try fields(2, "exit_status", &exitStatus)
        try fields(3, "exited_at", &exitedAt)
    }
}
