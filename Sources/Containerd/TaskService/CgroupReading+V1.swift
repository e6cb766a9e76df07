import ContainerdAPI
import Linux
import Protobuf

extension CgroupReading {
    var legacy: CgroupV1Metrics {
        CgroupV1Metrics {
            $0.pids = CgroupV1Pids {
                $0.current = number("pids", "pids.current")
                // No limit is told as 0.
                let limit = number("pids", "pids.max")
                $0.limit = limit == .max ? 0 : limit
            }
            $0.cpu = legacyCPU
            $0.memory = legacyMemory
            let control = table("memory", "memory.oom_control")
            $0.memoryOomControl = CgroupV1MemoryOOMControl {
                $0.oomKillDisable = control["oom_kill_disable"] ?? 0
                $0.underOom = control["under_oom"] ?? 0
                $0.oomKill = control["oom_kill"] ?? 0
            }
            $0.blkio = CgroupV1BlockIO {
                $0.ioServiceBytesRecursive = blockIO("blkio.throttle.io_service_bytes_recursive")
                $0.ioServicedRecursive = blockIO("blkio.throttle.io_serviced_recursive")
            }
            $0.hugetlb = hugePageSizes("hugetlb", "usage_in_bytes").map { size in
                CgroupV1HugePages {
                    $0.pagesize = size
                    $0.usage = number("hugetlb", "hugetlb.\(size).usage_in_bytes")
                    $0.max = number("hugetlb", "hugetlb.\(size).max_usage_in_bytes")
                    $0.failcnt = number("hugetlb", "hugetlb.\(size).failcnt")
                }
            }
        }
    }

    private var legacyCPU: CgroupV1CPU {
        CgroupV1CPU {
            $0.usage = CgroupV1CPUUsage {
                $0.total = number("cpuacct", "cpuacct.usage")
                $0.perCpu = (text("cpuacct", "cpuacct.usage_percpu") ?? "").split(whereSeparator: \.isWhitespace)
                    .compactMap { UInt64($0) }
                // In clock ticks of a hundredth of a second (USER_HZ, the same on all architectures Linux has).
                let ticks = table("cpuacct", "cpuacct.stat")
                $0.user = (ticks["user"] ?? 0) * 10_000_000
                $0.kernel = (ticks["system"] ?? 0) * 10_000_000
            }
            let throttling = table("cpu", "cpu.stat")
            $0.throttling = CgroupV1CPUThrottling {
                $0.periods = throttling["nr_periods"] ?? 0
                $0.throttledPeriods = throttling["nr_throttled"] ?? 0
                $0.throttledTime = throttling["throttled_time"] ?? 0
            }
        }
    }

    private var legacyMemory: CgroupV1Memory {
        let values = table("memory", "memory.stat")
        func value(_ name: Substring) -> UInt64 { values[name] ?? 0 }
        return CgroupV1Memory {
            ($0.cache, $0.totalCache) = (value("cache"), value("total_cache"))
            ($0.rss, $0.totalRss) = (value("rss"), value("total_rss"))
            ($0.rssHuge, $0.totalRssHuge) = (value("rss_huge"), value("total_rss_huge"))
            ($0.mappedFile, $0.totalMappedFile) = (value("mapped_file"), value("total_mapped_file"))
            ($0.dirty, $0.totalDirty) = (value("dirty"), value("total_dirty"))
            ($0.writeback, $0.totalWriteback) = (value("writeback"), value("total_writeback"))
            ($0.pgPgIn, $0.totalPgPgIn) = (value("pgpgin"), value("total_pgpgin"))
            ($0.pgPgOut, $0.totalPgPgOut) = (value("pgpgout"), value("total_pgpgout"))
            ($0.pgFault, $0.totalPgFault) = (value("pgfault"), value("total_pgfault"))
            ($0.pgMajFault, $0.totalPgMajFault) = (value("pgmajfault"), value("total_pgmajfault"))
            ($0.inactiveAnon, $0.totalInactiveAnon) = (value("inactive_anon"), value("total_inactive_anon"))
            ($0.activeAnon, $0.totalActiveAnon) = (value("active_anon"), value("total_active_anon"))
            ($0.inactiveFile, $0.totalInactiveFile) = (value("inactive_file"), value("total_inactive_file"))
            ($0.activeFile, $0.totalActiveFile) = (value("active_file"), value("total_active_file"))
            ($0.unevictable, $0.totalUnevictable) = (value("unevictable"), value("total_unevictable"))
            $0.hierarchicalMemoryLimit = value("hierarchical_memory_limit")
            $0.hierarchicalSwapLimit = value("hierarchical_memsw_limit")
            $0.usage = entry("memory")
            $0.swap = entry("memory.memsw")
            $0.kernel = entry("memory.kmem")
            $0.kernelTcp = entry("memory.kmem.tcp")
        }
    }

    private func entry(_ prefix: String) -> CgroupV1MemoryEntry? {
        guard text("memory", "\(prefix).usage_in_bytes") != nil else { return nil }
        return CgroupV1MemoryEntry {
            $0.usage = number("memory", "\(prefix).usage_in_bytes")
            $0.max = number("memory", "\(prefix).max_usage_in_bytes")
            $0.limit = number("memory", "\(prefix).limit_in_bytes")
            $0.failcnt = number("memory", "\(prefix).failcnt")
        }
    }

    /// `major:minor operation value` a line, and a total that has no device.
    private func blockIO(_ file: String) -> [CgroupV1BlockIOEntry] {
        (text("blkio", file) ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(whereSeparator: { $0 == " " || $0 == ":" })
            guard fields.count == 4, let major = UInt64(fields[0]), let minor = UInt64(fields[1]),
                let value = UInt64(fields[3])
            else { return nil }
            return CgroupV1BlockIOEntry {
                $0.op = String(fields[2])
                $0.major = major
                $0.minor = minor
                $0.value = value
            }
        }
    }
}
