import Protobuf

/// What containerd 2.3 and later give the `start` command on its standard input.
package struct BootstrapParams: Message {
    package static var name: String { "containerd.runtime.bootstrap.v1.BootstrapParams" }

    package var instanceID = ""
    package var namespace = ""
    /// 0 is info; higher is more critical (4 warn, 8 error), lower more verbose (-4 debug, -8 trace).
    package var logLevel: Int32 = 0
    package var containerdVersion = ""
    package var ttrpcAddress = ""
    package var grpcAddress = ""
    package var containerdBinary = ""
    package var extensions: [BootstrapExtension] = []
    package var socketDirectory: String?

    /// The most critical `logLevel` at which debug lines are wanted.
    package static let debugLevel: Int32 = -4

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "instance_id", &instanceID)
        try fields(2, "namespace", &namespace)
        try fields(3, "log_level", &logLevel)
        try fields(4, "containerd_version", &containerdVersion)
        try fields(5, "containerd_ttrpc_address", &ttrpcAddress)
        try fields(6, "containerd_grpc_address", &grpcAddress)
        try fields(7, "containerd_binary", &containerdBinary)
        try fields(8, "extensions", &extensions)
        try fields(9, "socket_dir", &socketDirectory)
    }
}

/// Whatever else the shim is given; the runtime options among them.
package struct BootstrapExtension: Message {
    package static var name: String { "containerd.runtime.bootstrap.v1.Extension" }

    package var value: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "value", &value)
    }
}
