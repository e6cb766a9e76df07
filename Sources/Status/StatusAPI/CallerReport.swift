import Protobuf

/// Who wanted something of a container, and by which way.
package struct CallerReport: Message {
    package static var name: String { "zeropod.status.v1.CallerReport" }

    /// One of `WakeCount.ways`.
    package var way = ""
    /// Address and port of the other end; empty where there is none.
    package var peer = ""
    /// The container's port; of a connection that the container has made, the peer's.
    package var port: UInt64 = 0
    /// The container has made the connection.
    package var isOutgoing = false
    package var at: Timestamp?
    /// All of it, for people: "a connection from 10.0.0.5:4242 to port 80".
    package var words = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "way", &way)
        try fields(2, "peer", &peer)
        try fields(3, "port", &port)
        try fields(4, "outgoing", &isOutgoing)
        try fields(5, "at", &at)
        try fields(6, "words", &words)
    }
}

/// How often a container was woken in one way.
package struct WakeCount: Message {
    package static var name: String { "zeropod.status.v1.WakeCount" }

    /// All that there are, so that each can be counted from zero.
    package static let ways = [
        "connection", "data", "datagram", "local", "exec", "signal", "command", "time", "export", "other",
    ]

    package var way = ""
    package var count: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "way", &way)
        try fields(2, "count", &count)
    }
}
