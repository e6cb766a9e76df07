import Protobuf

/// `memory.stat`, and the limits beside it.
package struct CgroupV2Memory: Message {
    package static var name: String { "io.containerd.cgroups.v2.MemoryStat" }

    package var anon: UInt64 = 0
    package var file: UInt64 = 0
    package var kernelStack: UInt64 = 0
    package var slab: UInt64 = 0
    package var sock: UInt64 = 0
    package var shmem: UInt64 = 0
    package var fileMapped: UInt64 = 0
    package var fileDirty: UInt64 = 0
    package var fileWriteback: UInt64 = 0
    package var anonThp: UInt64 = 0
    package var inactiveAnon: UInt64 = 0
    package var activeAnon: UInt64 = 0
    package var inactiveFile: UInt64 = 0
    package var activeFile: UInt64 = 0
    package var unevictable: UInt64 = 0
    package var slabReclaimable: UInt64 = 0
    package var slabUnreclaimable: UInt64 = 0
    package var pgfault: UInt64 = 0
    package var pgmajfault: UInt64 = 0
    package var workingsetRefault: UInt64 = 0
    package var workingsetActivate: UInt64 = 0
    package var workingsetNodereclaim: UInt64 = 0
    package var pgrefill: UInt64 = 0
    package var pgscan: UInt64 = 0
    package var pgsteal: UInt64 = 0
    package var pgactivate: UInt64 = 0
    package var pgdeactivate: UInt64 = 0
    package var pglazyfree: UInt64 = 0
    package var pglazyfreed: UInt64 = 0
    package var thpFaultAlloc: UInt64 = 0
    package var thpCollapseAlloc: UInt64 = 0
    package var usage: UInt64 = 0
    package var usageLimit: UInt64 = 0
    package var swapUsage: UInt64 = 0
    package var swapLimit: UInt64 = 0
    package var maxUsage: UInt64 = 0
    package var swapMaxUsage: UInt64 = 0
    package var psi: CgroupV2Pressure?

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "anon", &anon)
        try fields(2, "file", &file)
        try fields(3, "kernel_stack", &kernelStack)
        try fields(4, "slab", &slab)
        try fields(5, "sock", &sock)
        try fields(6, "shmem", &shmem)
        try fields(7, "file_mapped", &fileMapped)
        try fields(8, "file_dirty", &fileDirty)
        try fields(9, "file_writeback", &fileWriteback)
        try fields(10, "anon_thp", &anonThp)
        try fields(11, "inactive_anon", &inactiveAnon)
        try fields(12, "active_anon", &activeAnon)
        try fields(13, "inactive_file", &inactiveFile)
        try fields(14, "active_file", &activeFile)
        try fields(15, "unevictable", &unevictable)
        try fields(16, "slab_reclaimable", &slabReclaimable)
        try fields(17, "slab_unreclaimable", &slabUnreclaimable)
        try fields(18, "pgfault", &pgfault)
        try fields(19, "pgmajfault", &pgmajfault)
        try fields(20, "workingset_refault", &workingsetRefault)
        try fields(21, "workingset_activate", &workingsetActivate)
        try fields(22, "workingset_nodereclaim", &workingsetNodereclaim)
        try fields(23, "pgrefill", &pgrefill)
        try fields(24, "pgscan", &pgscan)
        try fields(25, "pgsteal", &pgsteal)
        try fields(26, "pgactivate", &pgactivate)
        try fields(27, "pgdeactivate", &pgdeactivate)
        try fields(28, "pglazyfree", &pglazyfree)
        try fields(29, "pglazyfreed", &pglazyfreed)
        try fields(30, "thp_fault_alloc", &thpFaultAlloc)
        try fields(31, "thp_collapse_alloc", &thpCollapseAlloc)
        try fields(32, "usage", &usage)
        try fields(33, "usage_limit", &usageLimit)
        try fields(34, "swap_usage", &swapUsage)
        try fields(35, "swap_limit", &swapLimit)
        try fields(36, "max_usage", &maxUsage)
        try fields(37, "swap_max_usage", &swapMaxUsage)
        try fields(38, "psi", &psi)
    }
}

package struct CgroupV2MemoryEvents: Message {
    package static var name: String { "io.containerd.cgroups.v2.MemoryEvents" }

    package var low: UInt64 = 0
    package var high: UInt64 = 0
    package var max: UInt64 = 0
    package var oom: UInt64 = 0
    package var oomKill: UInt64 = 0
    package var oomGroupKill: UInt64 = 0

    package init() {}

    package mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "low", &low)
        try fields(2, "high", &high)
        try fields(3, "max", &max)
        try fields(4, "oom", &oom)
        try fields(5, "oom_kill", &oomKill)
        try fields(6, "oom_group_kill", &oomGroupKill)
    }
}
