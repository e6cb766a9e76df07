import Protobuf

/// Answered when the process has ended.
package struct WaitRequest: Message {
    package static var name: String { "containerd.task.v2.WaitRequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
    }
}

package struct WaitResponse: Message {
    package static var name: String { "containerd.task.v2.WaitResponse" }

    package var exitStatus: UInt32 = 0
    package var exitedAt: Timestamp?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "exit_status", &exitStatus)
        try fields(2, "exited_at", &exitedAt)
    }
}
