import Protobuf

/// What containerd asks first when it has been restarted.
package struct ConnectRequest: Message {
    package static var name: String { "containerd.task.v2.ConnectRequest" }

    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
    }
}

package struct ConnectResponse: Message {
    package static var name: String { "containerd.task.v2.ConnectResponse" }

    package var shimPid: UInt32 = 0
    package var taskPid: UInt32 = 0
    package var version = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "shim_pid", &shimPid)
        try fields(2, "task_pid", &taskPid)
        try fields(3, "version", &version)
    }
}
