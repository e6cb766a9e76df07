import Protobuf

package struct UpdateTaskRequest: Message {
    package static var name: String { "containerd.task.v2.UpdateTaskRequest" }

    package var id = ""
    /// JSON of OCI resources (`OCISpec.resources`), not protobuf.
    package var resources: AnyMessage?
    package var annotations: [String: String] = [:]

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "resources", &resources)
        try fields(3, "annotations", &annotations)
    }
}
