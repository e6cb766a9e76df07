import Protobuf

/// What comes with `CheckpointTaskRequest`.
package struct CheckpointOptions: Message {
    package static var name: String { "containerd.runc.v1.CheckpointOptions" }

    package var exit = false
    package var openTcp = false
    package var externalUnixSockets = false
    package var terminal = false
    package var fileLocks = false
    package var emptyNamespaces: [String] = []
    /// `soft`, `full` or `strict`.
    package var cgroupsMode = ""
    package var imagePath = ""
    package var workPath = ""
    /// From containerd 2.4 on.
    package var parentPath = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "exit", &exit)
        try fields(2, "open_tcp", &openTcp)
        try fields(3, "external_unix_sockets", &externalUnixSockets)
        try fields(4, "terminal", &terminal)
        try fields(5, "file_locks", &fileLocks)
        try fields(6, "empty_namespaces", &emptyNamespaces)
        try fields(7, "cgroups_mode", &cgroupsMode)
        try fields(8, "image_path", &imagePath)
        try fields(9, "work_path", &workPath)
        try fields(10, "parent_path", &parentPath)
    }
}
