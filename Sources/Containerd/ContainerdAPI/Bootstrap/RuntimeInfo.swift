import Protobuf

/// The answer to `-info`, which containerd 2.0 and later ask.
package struct RuntimeInfo: Message {
    package static var name: String { "containerd.types.RuntimeInfo" }

    package var name = ""
    package var version: RuntimeVersion?
    /// Those that came with the question.
    package var options: AnyMessage?
    /// JSON of the OCI runtime's `features`, not protobuf.
    package var features: AnyMessage?
    package var annotations: [String: String] = [:]

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "name", &name)
        try fields(2, "version", &version)
        try fields(3, "options", &options)
        try fields(4, "features", &features)
        try fields(5, "annotations", &annotations)
    }
}

/// Part of `RuntimeInfo`.
package struct RuntimeVersion: Message {
    package static var name: String { "containerd.types.RuntimeVersion" }

    package var version = ""
    package var revision = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "version", &version)
        try fields(2, "revision", &revision)
    }
}
