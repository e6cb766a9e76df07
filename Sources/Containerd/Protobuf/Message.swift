/// Protocol Buffers, as far as containerd and its neighbours speak them: proto3 messages to bytes and back.
///
/// Written here rather than taken from protobuf-c, which would put unsafe pointers into every handler and a code
/// generator onto every build machine: the messages are few and flat, and one codec can be fuzzed whole. What belongs
/// here: the wire format, and the few message types that every protocol shares (`WellKnown`). Messages of a protocol
/// live with that protocol.
///
/// A message is a struct that names each of its fields once, for both directions:
///
///     struct Mount: Message {
///         static var name: String { "containerd.types.Mount" }
///         var type = ""
///         var options: [String] = []
///
///         mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
///             try fields(1, "type", &type)
///             try fields(4, "options", &options)
///         }
///     }
///
/// The visitor is one concrete type, and nothing here asks to be specialised: a field costs one call.
package protocol Message: Equatable, Sendable {
    /// The full name of the type, as type URLs carry it.
    static var name: String { get }

    /// All fields at their defaults.
    init()

    /// Offers every field to the visitor, which reads into it or writes it out.
    mutating func visit(_ fields: inout Fields) throws(ProtobufError)
}

extension Message {
    /// A message with some fields set: `StartResponse { $0.pid = pid }`.
    package init(_ fill: (inout Self) -> Void) {
        self.init()
        fill(&self)
    }

    /// Reads a whole message. Never traps, whatever the bytes.
    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        self.init()
        var fields = Fields(reading: bytes)
        do throws(ProtobufError) {
            try fields.readAll(into: &self)
        } catch {
            throw error.inside(Self.name)
        }
    }

    /// The message in its wire format. Fields at their defaults are left out, as proto3 asks.
    package func encoded() -> [UInt8] {
        var fields = Fields()
        fields.writeAll(of: self)
        return fields.output.bytes
    }
}
