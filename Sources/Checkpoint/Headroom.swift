import Glibc
import Linux

/// Room for CRIU itself in a container's cgroups. It restores from inside of them, so that what it makes is accounted
/// there from the first page on, and to move processes later would cost 10 ms on cgroups v1. But a container may have
/// been given no more processes and no more memory than it needs for itself.
struct Headroom: Sendable {
    /// What CRIU needs besides the container: a few helpers, and less than 20 MB.
    private static let processes: UInt64 = 64
    private static let memory: UInt64 = 64 << 20

    private struct Limit: Sendable {
        let file: String
        let value: UInt64
    }

    /// In the order in which they are raised. v1 refuses memory and swap together below memory alone.
    private let limits: [Limit]

    /// Raises the limits. What cannot be raised stays: the restore may do without.
    init(in cgroup: Cgroup) {
        let wanted: [(controller: String, file: String, more: UInt64)] =
            cgroup.isUnified
            ? [
                ("", "pids.max", Self.processes), ("", "memory.max", Self.memory), ("", "memory.high", Self.memory),
            ]
            : [
                ("pids", "pids.max", Self.processes), ("memory", "memory.memsw.limit_in_bytes", Self.memory),
                ("memory", "memory.limit_in_bytes", Self.memory),
            ]
        limits = wanted.compactMap { controller, file, more in
            guard let directory = cgroup.directories[controller] else { return nil }
            let path = "\(directory)/\(file)"
            // None is "max", and on v1 a number near the largest.
            guard let text = try? Files.readText(path), let value = UInt64(text.filter { !$0.isWhitespace }),
                value < UInt64.max >> 2, (try? Files.write("\(value + more)", to: path)) != nil
            else { return nil }
            return Limit(file: path, value: value)
        }
    }

    /// Sets the limits back, once CRIU has ended. What cannot be set is that of a container that has ended too, or one
    /// that has got more in the meantime than it may, which the next update will tell.
    func end() {
        for limit in limits.reversed() { try? Files.write("\(limit.value)", to: limit.file) }
    }
}
