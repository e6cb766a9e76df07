import Protobuf

/// Hands one event to containerd. Answered by `Empty`.
package struct ForwardRequest: Message {
    package static var name: String { "containerd.services.events.ttrpc.v1.ForwardRequest" }

    package var envelope: EventEnvelope?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "envelope", &envelope)
    }
}

package struct EventEnvelope: Message {
    package static var name: String { "containerd.types.Envelope" }

    package var timestamp: Timestamp?
    package var namespace = ""
    package var topic = ""
    package var event: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "timestamp", &timestamp)
        try fields(2, "namespace", &namespace)
        try fields(3, "topic", &topic)
        try fields(4, "event", &event)
    }
}
