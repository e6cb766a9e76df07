/// `google.protobuf.Any`: a message together with the name of its type.
package struct AnyMessage: Message {
    package static var name: String { "google.protobuf.Any" }

    package var typeURL = ""
    package var value: [UInt8] = []

    package init() {}

    package init(typeURL: String, value: [UInt8]) {
        self.typeURL = typeURL
        self.value = value
    }

    /// The type URL is the bare name: containerd writes it so itself, and all of its versions look up what follows the
    /// last slash.
    package init<M: Message>(packing message: M) {
        typeURL = M.name
        value = message.encoded()
    }

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "type_url", &typeURL)
        try fields(2, "value", &value)
    }

    /// The type without `type.googleapis.com/` or another prefix.
    package var typeName: Substring {
        typeURL.lastIndex(of: "/").map { typeURL[typeURL.index(after: $0)...] } ?? typeURL[...]
    }

    /// The message inside; nil if it is of another type.
    package func unpack<M: Message>(as type: M.Type) throws(ProtobufError) -> M? {
        typeName == M.name ? try M(decoding: value) : nil
    }
}
