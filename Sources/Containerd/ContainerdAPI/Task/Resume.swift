import Protobuf

package struct ResumeRequest: Message {
    package static var name: String { "containerd.task.v2.ResumeRequest" }

    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
    }
}
