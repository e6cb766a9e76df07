import Protobuf

package struct CgroupV1BlockIO: Message {
    package static var name: String { "io.containerd.cgroups.v1.BlkIOStat" }

    package var ioServiceBytesRecursive: [CgroupV1BlockIOEntry] = []
    package var ioServicedRecursive: [CgroupV1BlockIOEntry] = []
    package var ioQueuedRecursive: [CgroupV1BlockIOEntry] = []
    package var ioServiceTimeRecursive: [CgroupV1BlockIOEntry] = []
    package var ioWaitTimeRecursive: [CgroupV1BlockIOEntry] = []
    package var ioMergedRecursive: [CgroupV1BlockIOEntry] = []
    package var ioTimeRecursive: [CgroupV1BlockIOEntry] = []
    package var sectorsRecursive: [CgroupV1BlockIOEntry] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "io_service_bytes_recursive", &ioServiceBytesRecursive)
        try fields(2, "io_serviced_recursive", &ioServicedRecursive)
        try fields(3, "io_queued_recursive", &ioQueuedRecursive)
        try fields(4, "io_service_time_recursive", &ioServiceTimeRecursive)
        try fields(5, "io_wait_time_recursive", &ioWaitTimeRecursive)
        try fields(6, "io_merged_recursive", &ioMergedRecursive)
        try fields(7, "io_time_recursive", &ioTimeRecursive)
        try fields(8, "sectors_recursive", &sectorsRecursive)
    }
}

package struct CgroupV1BlockIOEntry: Message {
    package static var name: String { "io.containerd.cgroups.v1.BlkIOEntry" }

    package var op = ""
    package var device = ""
    package var major: UInt64 = 0
    package var minor: UInt64 = 0
    package var value: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "op", &op)
        try fields(2, "device", &device)
        try fields(3, "major", &major)
        try fields(4, "minor", &minor)
        try fields(5, "value", &value)
    }
}
