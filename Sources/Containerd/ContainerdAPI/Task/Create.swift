import Protobuf

/// Asks for a container to be created, not started.
package struct CreateTaskRequest: Message {
    package static var name: String { "containerd.task.v2.CreateTaskRequest" }

    package var id = ""
    /// The directory with `config.json`, and `rootfs` below it.
    package var bundle = ""
    /// To be mounted on the bundle's `rootfs`, in this order.
    package var rootfs: [Mount] = []
    package var terminal = false
    /// Paths of fifos or URIs of `stdio` drivers; empty where there is none.
    package var stdin = ""
    package var stdout = ""
    package var stderr = ""
    /// Images to restore from, if not empty.
    package var checkpoint = ""
    package var parentCheckpoint = ""
    /// `RuncOptions` or `RuntimeOptions`.
    package var options: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
        try fields(2, "bundle", &bundle)
        try fields(3, "rootfs", &rootfs)
        try fields(4, "terminal", &terminal)
        try fields(5, "stdin", &stdin)
        try fields(6, "stdout", &stdout)
        try fields(7, "stderr", &stderr)
        try fields(8, "checkpoint", &checkpoint)
        try fields(9, "parent_checkpoint", &parentCheckpoint)
        try fields(10, "options", &options)
    }
}

package struct CreateTaskResponse: Message {
    package static var name: String { "containerd.task.v2.CreateTaskResponse" }

    package var pid: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "pid", &pid)
    }
}
