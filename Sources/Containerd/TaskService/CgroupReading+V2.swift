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
                $0.psi = pressure("cpu.pressure")
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
            $0.io = CgroupV2IO {
                $0.usage = devices
                $0.psi = pressure("io.pressure")
            }
            $0.hugetlb = hugePageSizes(Self.here, "current").map { size in
                CgroupV2HugePages {
                    $0.pagesize = size
                    $0.current = number(Self.here, "hugetlb.\(size).current")
                    $0.max = number(Self.here, "hugetlb.\(size).max")
                    $0.failcnt = table(Self.here, "hugetlb.\(size).events")["max"] ?? 0
                }
            }
        }
    }

    /// `major:minor key=value…` a line (`io.stat`).
    private var devices: [CgroupV2IOEntry] {
        lines(Self.here, "io.stat").compactMap { line in
            let device = line.name.split(separator: ":").compactMap { UInt64($0) }
            guard device.count == 2 else { return nil }
            func value(_ key: Substring) -> UInt64 { line.values[key].flatMap { UInt64($0) } ?? 0 }
            return CgroupV2IOEntry {
                ($0.major, $0.minor) = (device[0], device[1])
                ($0.rbytes, $0.wbytes) = (value("rbytes"), value("wbytes"))
                ($0.rios, $0.wios) = (value("rios"), value("wios"))
            }
        }
    }

    /// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same with `full` (Documentation/accounting/psi.rst).
    ///
    /// - Returns: nil where the kernel does not account for it.
    private func pressure(_ file: String) -> CgroupV2Pressure? {
        guard text(Self.here, file) != nil else { return nil }
        return CgroupV2Pressure {
            for line in lines(Self.here, file) {
                let data = CgroupV2PressureData {
                    $0.avg10 = line.values["avg10"].flatMap { Double($0) } ?? 0
                    $0.avg60 = line.values["avg60"].flatMap { Double($0) } ?? 0
                    $0.avg300 = line.values["avg300"].flatMap { Double($0) } ?? 0
                    $0.total = line.values["total"].flatMap { UInt64($0) } ?? 0
                }
                if line.name == "some" { $0.some = data }
                if line.name == "full" { $0.full = data }
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
            $0.workingsetRefault = value("workingset_refault_anon") + value("workingset_refault_file")
            $0.workingsetActivate = value("workingset_activate_anon") + value("workingset_activate_file")
            $0.workingsetNodereclaim = value("workingset_nodereclaim")
            ($0.pgrefill, $0.pgscan, $0.pgsteal) = (value("pgrefill"), value("pgscan"), value("pgsteal"))
            ($0.pgactivate, $0.pgdeactivate) = (value("pgactivate"), value("pgdeactivate"))
            ($0.pglazyfree, $0.pglazyfreed) = (value("pglazyfree"), value("pglazyfreed"))
            $0.thpFaultAlloc = value("thp_fault_alloc")
            $0.thpCollapseAlloc = value("thp_collapse_alloc")
            $0.psi = pressure("memory.pressure")
            $0.usage = number(Self.here, "memory.current")
            $0.usageLimit = number(Self.here, "memory.max")
            $0.maxUsage = number(Self.here, "memory.peak")
            $0.swapUsage = number(Self.here, "memory.swap.current")
            $0.swapLimit = number(Self.here, "memory.swap.max")
            $0.swapMaxUsage = number(Self.here, "memory.swap.peak")
        }
    }
}
