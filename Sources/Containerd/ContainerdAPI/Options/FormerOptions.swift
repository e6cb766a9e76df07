import Protobuf

/// What clients of containerd 1.7 send with a runtime whose name is not `io.containerd.runc.…`: the options of the
/// runtime of containerd 1.0, under other numbers than today's.
package struct FormerCreateOptions: Message {
    package static var name: String { "containerd.linux.runc.CreateOptions" }

    /// As today's.
    package private(set) var today = RuncOptions()

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "no_pivot_root", &today.noPivotRoot)
        try fields(8, "no_new_keyring", &today.noNewKeyring)
        try fields(9, "shim_cgroup", &today.shimCgroup)
        try fields(10, "io_uid", &today.ioUid)
        try fields(11, "io_gid", &today.ioGid)
        try fields(12, "criu_work_path", &today.criuWorkPath)
        try fields(13, "criu_image_path", &today.criuImagePath)
    }
}

/// The same for a checkpoint.
package struct FormerCheckpointOptions: Message {
    package static var name: String { "containerd.linux.runc.CheckpointOptions" }

    /// As today's.
    package private(set) var today = CheckpointOptions()

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "exit", &today.exit)
        try fields(2, "open_tcp", &today.openTcp)
        try fields(3, "external_unix_sockets", &today.externalUnixSockets)
        try fields(4, "terminal", &today.terminal)
        try fields(5, "file_locks", &today.fileLocks)
        try fields(6, "empty_namespaces", &today.emptyNamespaces)
        try fields(7, "cgroups_mode", &today.cgroupsMode)
        try fields(8, "work_path", &today.workPath)
        try fields(9, "image_path", &today.imagePath)
    }
}
