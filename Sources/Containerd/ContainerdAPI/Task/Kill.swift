import Protobuf

package struct KillRequest: Message {
    package static var name: String { "containerd.task.v2.KillRequest" }

    package var id = ""
    /// Empty: the container's init process.
    package var execID = ""
    package var signal: UInt32 = 0
    /// Every process of the container, not the init process alone.
    package var all = false

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
        try fields(3, "signal", &signal)
        try fields(4, "all", &all)
    }
}
