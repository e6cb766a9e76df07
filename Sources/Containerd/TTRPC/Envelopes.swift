import Protobuf

/// What a request frame carries (`ttrpc.Request` in github.com/containerd/ttrpc, request.proto).
struct RequestEnvelope: Message {
    static var name: String { "ttrpc.Request" }

    var service = ""
    var method = ""
    var payload: [UInt8] = []
    var timeoutNanoseconds: Int64 = 0
    var metadata: [KeyValue] = []

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "service", &service)
        try fields(2, "method", &method)
        try fields(3, "payload", &payload)
        try fields(4, "timeout_nano", &timeoutNanoseconds)
        try fields(5, "metadata", &metadata)
    }
}

/// One value of the metadata; a key may come more than once.
struct KeyValue: Message {
    static var name: String { "ttrpc.KeyValue" }

    var key = ""
    var value = ""

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "key", &key)
        try fields(2, "value", &value)
    }
}

/// What a response frame carries (`ttrpc.Response`).
struct ResponseEnvelope: Message {
    static var name: String { "ttrpc.Response" }

    /// Absent means that all is well.
    var status: StatusMessage?
    var payload: [UInt8] = []

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "status", &status)
        try fields(2, "payload", &payload)
    }
}
