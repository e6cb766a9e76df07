import Protobuf

/// How runc is to be driven. Number 8 was `criu_path`, until containerd 2.0.
package struct RuncOptions: Message {
    package static var name: String { "containerd.runc.v1.Options" }

    package var noPivotRoot = false
    package var noNewKeyring = false
    package var shimCgroup = ""
    package var ioUid: UInt32 = 0
    package var ioGid: UInt32 = 0
    /// The runc to use; empty: `runc` on PATH.
    package var binaryName = ""
    /// runc's `--root`; empty: containerd's default for the namespace.
    package var root = ""
    package var systemdCgroup = false
    package var criuImagePath = ""
    package var criuWorkPath = ""
    /// From containerd 2.0 on.
    package var taskApiAddress = ""
    package var taskApiVersion: UInt32 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "no_pivot_root", &noPivotRoot)
        try fields(2, "no_new_keyring", &noNewKeyring)
        try fields(3, "shim_cgroup", &shimCgroup)
        try fields(4, "io_uid", &ioUid)
        try fields(5, "io_gid", &ioGid)
        try fields(6, "binary_name", &binaryName)
        try fields(7, "root", &root)
        try fields(9, "systemd_cgroup", &systemdCgroup)
        try fields(10, "criu_image_path", &criuImagePath)
        try fields(11, "criu_work_path", &criuWorkPath)
        try fields(12, "task_api_address", &taskApiAddress)
        try fields(13, "task_api_version", &taskApiVersion)
    }
}
