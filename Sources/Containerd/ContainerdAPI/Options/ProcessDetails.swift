import Protobuf

/// What `ProcessInfo` says about a process that Exec added.
package struct ProcessDetails: Message {
    package static var name: String { "containerd.runc.v1.ProcessDetails" }

    package var execID = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "exec_id", &execID)
    }
}
