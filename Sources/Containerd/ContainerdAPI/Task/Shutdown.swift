import Protobuf

/// Does nothing while containers remain.
package struct ShutdownRequest: Message {
    package static var name: String { "containerd.task.v2.ShutdownRequest" }

    package var id = ""
    package var now = false

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "now", &now)
    }
}
