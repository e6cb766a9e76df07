/// `google.protobuf.Timestamp`: the wall clock since 1970.
package struct Timestamp: Message {
    package static var name: String { "google.protobuf.Timestamp" }

    package var seconds: Int64 = 0
    package var nanoseconds: Int32 = 0

    package init() {}

    package init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "seconds", &seconds)
        try fields(2, "nanos", &nanoseconds)
    }
}
