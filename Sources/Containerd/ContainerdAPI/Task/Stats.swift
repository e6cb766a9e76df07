import Protobuf

package struct StatsRequest: Message {
    package static var name: String { "containerd.task.v2.StatsRequest" }

    package var id = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "id", &id)
    }
}

package struct StatsResponse: Message {
    package static var name: String { "containerd.task.v2.StatsResponse" }

    /// `CgroupV1Metrics` or `CgroupV2Metrics`.
    package var stats: AnyMessage?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "stats", &stats)
    }
}
