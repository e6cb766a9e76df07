import Linux
import Protobuf

/// One call that a peer makes.
package struct Call {
    package let service: String
    package let method: String
    package let payload: [UInt8]
    /// How long the peer will wait; nil when it sets no limit.
    package let timeout: Instant.Span?
    package let metadata: [(key: String, value: String)]

    /// The first value of a metadata key.
    package func metadata(_ key: String) -> String? {
        metadata.first { $0.key == key }?.value
    }
}

/// The methods of a service by name.
package struct Methods {
    package typealias Handler = (Call, Reply) -> Void

    private var handlers: [String: Handler] = [:]

    package init() {}

    /// Handles a method whose request is of type `Request`; one that cannot be decoded is answered `InvalidArgument`.
    package mutating func on<Request: Message>(
        _ method: String, _ handler: @escaping (Request, Call, Reply) -> Void
    ) {
        handlers[method] = { call, reply in
            do throws(ProtobufError) {
                handler(try Request(decoding: call.payload), call, reply)
            } catch {
                reply.fail(.invalidArgument, error.description)
            }
        }
    }

    subscript(method: String) -> Handler? { handlers[method] }
}
