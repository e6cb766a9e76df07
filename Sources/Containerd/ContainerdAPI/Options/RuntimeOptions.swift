import Protobuf

/// What the CRI plugin hands to a runtime whose type is not `io.containerd.runc.v2`.
package struct RuntimeOptions: Message {
    package static var name: String { "runtimeoptions.v1.Options" }

    package var typeURL = ""
    /// A TOML file, from `ConfigPath` of the runtime's options in containerd's configuration.
    package var configPath = ""
    /// The options themselves in TOML, when no path is configured.
    package var configBody: [UInt8] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "type_url", &typeURL)
        try fields(2, "config_path", &configPath)
        try fields(3, "config_body", &configBody)
    }
}
