import Protobuf

/// Numbers of the cgroup of a container, version 2.
package struct CgroupV2Metrics: Message {
    package static var name: String { "io.containerd.cgroups.v2.Metrics" }

    package var pids: CgroupV2Pids?
    package var cpu: CgroupV2CPU?
    package var memory: CgroupV2Memory?
    package var rdma: CgroupV2RDMA?
    package var io: CgroupV2IO?
    package var hugetlb: [CgroupV2HugePages] = []
    package var memoryEvents: CgroupV2MemoryEvents?
    package var network: [CgroupV2Network] = []

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "pids", &pids)
        try fields(2, "cpu", &cpu)
        try fields(4, "memory", &memory)
        try fields(5, "rdma", &rdma)
        try fields(6, "io", &io)
        try fields(7, "hugetlb", &hugetlb)
        try fields(8, "memory_events", &memoryEvents)
        try fields(9, "network", &network)
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

package struct CgroupV2Network: Message {
    package static var name: String { "io.containerd.cgroups.v2.NetworkStat" }

    package var name = ""
    package var rxBytes: UInt64 = 0
    package var rxPackets: UInt64 = 0
    package var rxErrors: UInt64 = 0
    package var rxDropped: UInt64 = 0
    package var txBytes: UInt64 = 0
    package var txPackets: UInt64 = 0
    package var txErrors: UInt64 = 0
    package var txDropped: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "name", &name)
        try fields(2, "rx_bytes", &rxBytes)
        try fields(3, "rx_packets", &rxPackets)
        try fields(4, "rx_errors", &rxErrors)
        try fields(5, "rx_dropped", &rxDropped)
        try fields(6, "tx_bytes", &txBytes)
        try fields(7, "tx_packets", &txPackets)
        try fields(8, "tx_errors", &txErrors)
        try fields(9, "tx_dropped", &txDropped)
    }
}
