import ContainerdAPI
import Linux
import Protobuf

extension CgroupReading {
    /// The one directory that a container has on v2.
    private static let here = ""

    var unified: CgroupV2Metrics {
        CgroupV2Metrics {
            $0.pids = CgroupV2Pids {
                $0.current = number(Self.here, "pids.current")
                $0.limit = number(Self.here, "pids.max")
            }
            let cpu = table(Self.here, "cpu.stat")
            $0.cpu = CgroupV2CPU {
                $0.usageUsec = cpu["usage_usec"] ?? 0
                $0.userUsec = cpu["user_usec"] ?? 0
                $0.systemUsec = cpu["system_usec"] ?? 0
                $0.nrPeriods = cpu["nr_periods"] ?? 0
                $0.nrThrottled = cpu["nr_throttled"] ?? 0
                $0.throttledUsec = cpu["throttled_usec"] ?? 0
                $0.nrBursts = cpu["nr_bursts"] ?? 0
                $0.burstUsec = cpu["burst_usec"] ?? 0
            }
            $0.memory = unifiedMemory
            let events = table(Self.here, "memory.events")
            $0.memoryEvents = CgroupV2MemoryEvents {
                $0.low = events["low"] ?? 0
                $0.high = events["high"] ?? 0
                $0.max = events["max"] ?? 0
                $0.oom = events["oom"] ?? 0
                $0.oomKill = events["oom_kill"] ?? 0
                $0.oomGroupKill = events["oom_group_kill"] ?? 0
            }
        }
    }

    private var unifiedMemory: CgroupV2Memory {
        let values = table(Self.here, "memory.stat")
        func value(_ name: Substring) -> UInt64 { values[name] ?? 0 }
        return CgroupV2Memory {
            $0.anon = value("anon")
            $0.file = value("file")
            $0.kernelStack = value("kernel_stack")
            $0.slab = value("slab")
            $0.sock = value("sock")
            $0.shmem = value("shmem")
            $0.fileMapped = value("file_mapped")
            $0.fileDirty = value("file_dirty")
            $0.fileWriteback = value("file_writeback")
            $0.anonThp = value("anon_thp")
            $0.inactiveAnon = value("inactive_anon")
            $0.activeAnon = value("active_anon")
            $0.inactiveFile = value("inactive_file")
            $0.activeFile = value("active_file")
            $0.unevictable = value("unevictable")
            $0.slabReclaimable = value("slab_reclaimable")
            $0.slabUnreclaimable = value("slab_unreclaimable")
            $0.pgfault = value("pgfault")
            $0.pgmajfault = value("pgmajfault")
            $0.usage = number(Self.here, "memory.current")
            $0.usageLimit = number(Self.here, "memory.max")
            $0.maxUsage = number(Self.here, "memory.peak")
            $0.swapUsage = number(Self.here, "memory.swap.current")
            $0.swapLimit = number(Self.here, "memory.swap.max")
        }
    }
}
