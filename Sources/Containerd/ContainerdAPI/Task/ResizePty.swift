import Protobuf

package struct ResizePtyRequest: Message {
    package static var name: String { "containerd.task.v2.ResizePtyRequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""
    package var width: UInt32 = 0
    package var height: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
        try fields(3, "width", &width)
        try fields(4, "height", &height)
    }
}
