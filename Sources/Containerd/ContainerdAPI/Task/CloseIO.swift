import Protobuf

package struct CloseIORequest: Message {
    package static var name: String { "containerd.task.v2.CloseIORequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""
    package var stdin = false

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
        try fields(3, "stdin", &stdin)
    }
}
