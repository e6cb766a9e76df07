/// `google.protobuf.Empty`.
package struct Empty: Message {
    package static var name: String { "google.protobuf.Empty" }

    package init() {}
    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {}
}
