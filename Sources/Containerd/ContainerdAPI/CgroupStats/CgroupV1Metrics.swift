import Protobuf

/// Numbers of the cgroups of a container, from the hierarchies of version 1.
package struct CgroupV1Metrics: Message {
    package static var name: String { "io.containerd.cgroups.v1.Metrics" }

    package var hugetlb: [CgroupV1HugePages] = []
    package var pids: CgroupV1Pids?
    package var cpu: CgroupV1CPU?
    package var memory: CgroupV1Memory?
    package var blkio: CgroupV1BlockIO?
    package var rdma: CgroupV1RDMA?
    package var network: [CgroupV1Network] = []
    package var cgroupStats: CgroupV1Tasks?
    package var memoryOomControl: CgroupV1MemoryOOMControl?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "hugetlb", &hugetlb)
        try fields(2, "pids", &pids)
        try fields(3, "cpu", &cpu)
        try fields(4, "memory", &memory)
        try fields(5, "blkio", &blkio)
        try fields(6, "rdma", &rdma)
        try fields(7, "network", &network)
        try fields(8, "cgroup_stats", &cgroupStats)
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

package struct CgroupV1Network: Message {
    package static var name: String { "io.containerd.cgroups.v1.NetworkStat" }

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

/// How many tasks are in which state.
package struct CgroupV1Tasks: Message {
    package static var name: String { "io.containerd.cgroups.v1.CgroupStats" }

    package var nrSleeping: UInt64 = 0
    package var nrRunning: UInt64 = 0
    package var nrStopped: UInt64 = 0
    package var nrUninterruptible: UInt64 = 0
    package var nrIoWait: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "nr_sleeping", &nrSleeping)
        try fields(2, "nr_running", &nrRunning)
        try fields(3, "nr_stopped", &nrStopped)
        try fields(4, "nr_uninterruptible", &nrUninterruptible)
        try fields(5, "nr_io_wait", &nrIoWait)
    }
}
