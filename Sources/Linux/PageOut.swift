import CLinux
import Glibc
import Synchronization

/// Brings the memory of processes that stand still to swap (process_madvise(2), Linux 5.10). They have it back page by
/// page, as they touch it.
package final class PageOut: Sendable {
    private let isWanted = Mutex(true)

    package init() {}

    /// Whether there is swap with room in it.
    package static var isPossible: Bool {
        var information = sysinfo()
        return sysinfo(&information) == 0 && information.freeswap > 0
    }

    /// Lets `run` return soon.
    package func cancel() { isWanted.withLock { $0 = false } }

    /// At a time, in bytes: so long at most `cancel` is not heard.
    private static let step: UInt = 8 << 20

    /// Blocks for about a second a gigabyte. What cannot be paged out stays: locked memory, and what several processes
    /// have mapped.
    package func run(_ pids: [pid_t]) {
        for pid in pids {
            let number = zp_pidfd_open(pid)
            guard number >= 0 else { continue }
            let process = Descriptor(owning: number)
            for range in Self.memory(of: (try? Files.readText("/proc/\(pid)/maps")) ?? "") {
                for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(Self.step)) {
                    if !isWanted.withLock({ $0 }) { return }
                    _ = zp_page_out(process.rawValue, start, Int(min(Self.step, range.upperBound - start)))
                }
            }
        }
    }

    /// Bytes that are in swap now, after earlier times too.
    package static func swapped(_ pids: [pid_t]) -> UInt64 {
        pids.reduce(0) { sum, pid in
            let field = try? Process.statusField("VmSwap", of: pid)
            return sum + (field?.split(separator: " ").first.flatMap { UInt64($0) } ?? 0) << 10
        }
    }

    /// The mappings whose memory is in no file: `start-end permissions offset device inode path` a line (proc(5)).
    static func memory(of maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count >= 5 else { return nil }
            let path = fields.count > 5 ? fields[5].drop { $0 == " " } : ""
            // Written to, a private mapping of a file has memory of its own as well.
            let isPrivate = fields[1].hasSuffix("p") && (fields[4] == "0" || fields[1].contains("w"))
            let isShared = ["/dev/zero", "/SYSV", "/memfd:", "/dev/shm/"].contains { path.hasPrefix($0) }
            guard isPrivate && !path.hasPrefix("[v") || isShared else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
        }
    }
}
