import Protobuf

/// Numbers of the cgroup of a container, version 2.
package struct CgroupV2Metrics: Message {
    package static var name: String { "io.containerd.cgroups.v2.Metrics" }

    package var pids: CgroupV2Pids?
    package var cpu: CgroupV2CPU?
    package var memory: CgroupV2Memory?
    package var io: CgroupV2IO?
    package var hugetlb: [CgroupV2HugePages] = []
    package var memoryEvents: CgroupV2MemoryEvents?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "pids", &pids)
        try fields(2, "cpu", &cpu)
        try fields(4, "memory", &memory)
        try fields(6, "io", &io)
        try fields(7, "hugetlb", &hugetlb)
        try fields(8, "memory_events", &memoryEvents)
    }
}

package struct CgroupV2Pids: Message {
    package static var name: String { "io.containerd.cgroups.v2.PidsStat" }

    package var current: UInt64 = 0
    package var limit: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "current", &current)
        try fields(2, "limit", &limit)
    }
}

package struct CgroupV2HugePages: Message {
    package static var name: String { "io.containerd.cgroups.v2.HugeTlbStat" }

    package var current: UInt64 = 0
    package var max: UInt64 = 0
    package var pagesize = ""
    package var failcnt: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "current", &current)
        try fields(2, "max", &max)
        try fields(3, "pagesize", &pagesize)
        try fields(4, "failcnt", &failcnt)
    }
}
