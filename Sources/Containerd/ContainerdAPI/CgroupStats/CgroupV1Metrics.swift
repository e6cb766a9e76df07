import Protobuf

/// Numbers of the cgroups of a container, from the hierarchies of version 1. Here and for version 2 there are no fields for
/// RDMA, network interfaces and tasks by state: neither the kubelet nor ctr asks a shim for them.
package struct CgroupV1Metrics: Message {
    package static var name: String { "io.containerd.cgroups.v1.Metrics" }

    package var hugetlb: [CgroupV1HugePages] = []
    package var pids: CgroupV1Pids?
    package var cpu: CgroupV1CPU?
    package var memory: CgroupV1Memory?
    package var blkio: CgroupV1BlockIO?
    package var memoryOomControl: CgroupV1MemoryOOMControl?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "hugetlb", &hugetlb)
        try fields(2, "pids", &pids)
        try fields(3, "cpu", &cpu)
        try fields(4, "memory", &memory)
        try fields(5, "blkio", &blkio)
        try fields(9, "memory_oom_control", &memoryOomControl)
    }
}

package struct CgroupV1Pids: Message {
    package static var name: String { "io.containerd.cgroups.v1.PidsStat" }

    package var current: UInt64 = 0
    package var limit: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "current", &current)
        try fields(2, "limit", &limit)
    }
}

package struct CgroupV1HugePages: Message {
    package static var name: String { "io.containerd.cgroups.v1.HugetlbStat" }

    package var usage: UInt64 = 0
    package var max: UInt64 = 0
    package var failcnt: UInt64 = 0
    package var pagesize = ""

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "usage", &usage)
        try fields(2, "max", &max)
        try fields(3, "failcnt", &failcnt)
        try fields(4, "pagesize", &pagesize)
    }
}
