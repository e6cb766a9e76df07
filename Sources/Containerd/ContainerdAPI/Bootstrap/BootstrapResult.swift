import Protobuf

/// What the `start` command answers to `BootstrapParams`.
package struct BootstrapResult: Message {
    package static var name: String { "containerd.runtime.bootstrap.v1.BootstrapResult" }

    package var version: Int32 = 0
    package var address = ""
    /// `ttrpc` or `grpc`.
    package var transport = ""
    package var capabilities: [Int32] = []
    package var metadata: [String: String] = [:]

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "version", &version)
        try fields(2, "address", &address)
        try fields(3, "protocol", &transport)
        try fields(4, "capabilities", &capabilities)
        try fields(5, "metadata", &metadata)
    }
}
