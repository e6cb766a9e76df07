import Protobuf

/// containerd's own checkpoint (`ctr task checkpoint`, the kubelet's call), not a sleep.
package struct CheckpointTaskRequest: Message {
    package static var name: String { "containerd.task.v2.CheckpointTaskRequest" }

    package var id = ""
    /// Where the images go.
    package var path = ""
    /// `CheckpointOptions`.
    package var options: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "path", &path)
        try fields(3, "options", &options)
    }
}
