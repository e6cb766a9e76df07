import Protobuf

/// Starts a created container, or an exec that was added.
package struct StartRequest: Message {
    package static var name: String { "containerd.task.v2.StartRequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
    }
}

package struct StartResponse: Message {
    package static var name: String { "containerd.task.v2.StartResponse" }

    package var pid: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "pid", &pid)
    }
}
