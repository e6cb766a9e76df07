import Protobuf

/// Which processes are in the container. containerd takes a shim that names none for leaked, and reaps it.
package struct PidsRequest: Message {
    package static var name: String { "containerd.task.v2.PidsRequest" }

    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
    }
}

package struct PidsResponse: Message {
    package static var name: String { "containerd.task.v2.PidsResponse" }

    package var processes: [ProcessInfo] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "processes", &processes)
    }
}
