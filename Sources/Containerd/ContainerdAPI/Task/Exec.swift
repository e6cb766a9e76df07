import Protobuf

/// Adds a process to a container; `StartRequest` starts it.
package struct ExecProcessRequest: Message {
    package static var name: String { "containerd.task.v2.ExecProcessRequest" }

    package var id = ""
    package var execID = ""
    package var terminal = false
    package var stdin = ""
    package var stdout = ""
    package var stderr = ""
    /// JSON of an OCI process (`OCISpec.process`), not protobuf.
    package var spec: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "exec_id", &execID)
        try fields(3, "terminal", &terminal)
        try fields(4, "stdin", &stdin)
        try fields(5, "stdout", &stdout)
        try fields(6, "stderr", &stderr)
        try fields(7, "spec", &spec)
    }
}
