import Protobuf

/// `memory.stat`, and the limits beside it.
package struct CgroupV1Memory: Message {
    package static var name: String { "io.containerd.cgroups.v1.MemoryStat" }

    package var cache: UInt64 = 0
    package var rss: UInt64 = 0
    package var rssHuge: UInt64 = 0
    package var mappedFile: UInt64 = 0
    package var dirty: UInt64 = 0
    package var writeback: UInt64 = 0
    package var pgPgIn: UInt64 = 0
    package var pgPgOut: UInt64 = 0
    package var pgFault: UInt64 = 0
    package var pgMajFault: UInt64 = 0
    package var inactiveAnon: UInt64 = 0
    package var activeAnon: UInt64 = 0
    package var inactiveFile: UInt64 = 0
    package var activeFile: UInt64 = 0
    package var unevictable: UInt64 = 0
    package var hierarchicalMemoryLimit: UInt64 = 0
    package var hierarchicalSwapLimit: UInt64 = 0
    package var totalCache: UInt64 = 0
    package var totalRss: UInt64 = 0
    package var totalRssHuge: UInt64 = 0
    package var totalMappedFile: UInt64 = 0
    package var totalDirty: UInt64 = 0
    package var totalWriteback: UInt64 = 0
    package var totalPgPgIn: UInt64 = 0
    package var totalPgPgOut: UInt64 = 0
    package var totalPgFault: UInt64 = 0
    package var totalPgMajFault: UInt64 = 0
    package var totalInactiveAnon: UInt64 = 0
    package var totalActiveAnon: UInt64 = 0
    package var totalInactiveFile: UInt64 = 0
    package var totalActiveFile: UInt64 = 0
    package var totalUnevictable: UInt64 = 0
    package var usage: CgroupV1MemoryEntry?
    package var swap: CgroupV1MemoryEntry?
    package var kernel: CgroupV1MemoryEntry?
    package var kernelTcp: CgroupV1MemoryEntry?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "cache", &cache)
        try fields(2, "rss", &rss)
        try fields(3, "rss_huge", &rssHuge)
        try fields(4, "mapped_file", &mappedFile)
        try fields(5, "dirty", &dirty)
        try fields(6, "writeback", &writeback)
        try fields(7, "pg_pg_in", &pgPgIn)
        try fields(8, "pg_pg_out", &pgPgOut)
        try fields(9, "pg_fault", &pgFault)
        try fields(10, "pg_maj_fault", &pgMajFault)
        try fields(11, "inactive_anon", &inactiveAnon)
        try fields(12, "active_anon", &activeAnon)
        try fields(13, "inactive_file", &inactiveFile)
        try fields(14, "active_file", &activeFile)
        try fields(15, "unevictable", &unevictable)
        try fields(16, "hierarchical_memory_limit", &hierarchicalMemoryLimit)
        try fields(17, "hierarchical_swap_limit", &hierarchicalSwapLimit)
        try fields(18, "total_cache", &totalCache)
        try fields(19, "total_rss", &totalRss)
        try fields(20, "total_rss_huge", &totalRssHuge)
        try fields(21, "total_mapped_file", &totalMappedFile)
        try fields(22, "total_dirty", &totalDirty)
        try fields(23, "total_writeback", &totalWriteback)
        try fields(24, "total_pg_pg_in", &totalPgPgIn)
        try fields(25, "total_pg_pg_out", &totalPgPgOut)
        try fields(26, "total_pg_fault", &totalPgFault)
        try fields(27, "total_pg_maj_fault", &totalPgMajFault)
        try fields(28, "total_inactive_anon", &totalInactiveAnon)
        try fields(29, "total_active_anon", &totalActiveAnon)
        try fields(30, "total_inactive_file", &totalInactiveFile)
        try fields(31, "total_active_file", &totalActiveFile)
        try fields(32, "total_unevictable", &totalUnevictable)
        try fields(33, "usage", &usage)
        try fields(34, "swap", &swap)
        try fields(35, "kernel", &kernel)
        try fields(36, "kernel_tcp", &kernelTcp)
    }
}

/// `memory.usage_in_bytes` and its neighbours.
package struct CgroupV1MemoryEntry: Message {
    package static var name: String { "io.containerd.cgroups.v1.MemoryEntry" }

    package var limit: UInt64 = 0
    package var usage: UInt64 = 0
    package var max: UInt64 = 0
    package var failcnt: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "limit", &limit)
        try fields(2, "usage", &usage)
        try fields(3, "max", &max)
        try fields(4, "failcnt", &failcnt)
    }
}

package struct CgroupV1MemoryOOMControl: Message {
    package static var name: String { "io.containerd.cgroups.v1.MemoryOomControl" }

    package var oomKillDisable: UInt64 = 0
    package var underOom: UInt64 = 0
    package var oomKill: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "oom_kill_disable", &oomKillDisable)
        try fields(2, "under_oom", &underOom)
        try fields(3, "oom_kill", &oomKill)
    }
}
