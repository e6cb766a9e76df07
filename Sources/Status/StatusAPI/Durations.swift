import Protobuf

/// How long something took, each time since the container's start: what a histogram of Prometheus is made of.
package struct Durations: Message {
    package static var name: String { "zeropod.status.v1.Durations" }

    package var count: UInt64 = 0
    package var sumNanoseconds: UInt64 = 0
    package var lastNanoseconds: UInt64 = 0
    /// Upper limits of the histogram's buckets in milliseconds, rising; the last bucket, without a limit, is `count`.
    package var limitMilliseconds: [UInt64] = []
    /// How many took at most as long as each limit.
    package var cumulative: [UInt64] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "count", &count)
        try fields(2, "sum_nanoseconds", &sumNanoseconds)
        try fields(3, "last_nanoseconds", &lastNanoseconds)
        try fields(4, "limit_milliseconds", &limitMilliseconds)
        try fields(5, "cumulative", &cumulative)
    }
}
