import Protobuf

/// Answered by `Empty`, like all requests below that have no response of their own.
package struct PauseRequest: Message {
    package static var name: String { "containerd.task.v2.PauseRequest" }

    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
    }
}
