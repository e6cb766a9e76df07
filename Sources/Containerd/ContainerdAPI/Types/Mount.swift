import Protobuf

/// A mount as mount(8) would be told.
package struct Mount: Message {
    package static var name: String { "containerd.types.Mount" }

    package var type = ""
    package var source = ""
    /// Relative to the root file system; empty for its root.
    package var target = ""
    package var options: [String] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "type", &type)
        try fields(2, "source", &source)
        try fields(3, "target", &target)
        try fields(4, "options", &options)
    }
}
