import CLinux
import Glibc
import Linux

/// Settings of single threads that CRIU does not know: processors, I/O priority, timer slack, and what a core dump has.
/// They are given back from outside. Only what differs from what a restored thread has anyway is kept, which is nothing
/// as a rule.
package struct TaskAttributes: Sendable {
    private struct Attributes: Sendable, Equatable {
        var processors: [UInt8]
        var ioPriority: Int32
        var timerSlack: String
        /// The process's: which of its memory a core dump has.
        var coreDumpFilter: String
        /// The process's; empty if the restored process sets it itself.
        var outOfMemoryScore = ""
    }

    /// By thread number in the container's pid namespace.
    private var kept: [pid_t: Attributes] = [:]

    init() {}

    /// Reads those of threads that stand still.
    ///
    /// - Parameter ofNode: whether their user namespace is the node's. In another one nobody may make the score less than 0.
    init(of pids: [pid_t], in cgroup: Cgroup, ofNode: Bool) throws(SystemError) {
        // A container may be restricted to some processors; then that is no thread's own doing.
        let usual = Attributes(
            processors: cgroup.processors ?? Self.processors(of: 0), ioPriority: zp_ioprio_get(0),
            timerSlack: (try? Files.readText("/proc/self/timerslack_ns")) ?? "",
            coreDumpFilter: (try? Files.readText("/proc/self/coredump_filter")) ?? "")
        for (thread, path) in Self.threads(of: pids) {
            let found = Attributes(
                processors: Self.processors(of: thread), ioPriority: zp_ioprio_get(thread),
                timerSlack: (try? Files.readText("/proc/\(thread)/timerslack_ns")) ?? usual.timerSlack,
                coreDumpFilter: (try? Files.readText("/proc/\(thread)/coredump_filter")) ?? usual.coreDumpFilter,
                outOfMemoryScore: ofNode ? "" : Self.lowScore(of: thread))
            if found != usual, let number = Self.innermostNumber(path) { kept[number] = found }
        }
    }

    /// To threads that do not run yet. What cannot be set stays as it is: none of it changes what a program does.
    func giveBack(to pids: [pid_t]) {
        if kept.isEmpty { return }
        for (thread, path) in Self.threads(of: pids) {
            guard let number = Self.innermostNumber(path), let wanted = kept[number] else { continue }
            var processors = wanted.processors
            _ = zp_sched_setaffinity(thread, &processors, processors.count)
            _ = zp_ioprio_set(thread, wanted.ioPriority)
            try? Files.write(wanted.timerSlack, to: "/proc/\(thread)/timerslack_ns")
            // Shown in base 16, and read as C does.
            try? Files.write("0x\(wanted.coreDumpFilter)", to: "/proc/\(thread)/coredump_filter")
            if !wanted.outOfMemoryScore.isEmpty {
                try? Files.write(wanted.outOfMemoryScore, to: "/proc/\(thread)/oom_score_adj")
            }
        }
    }

    private static func lowScore(of thread: pid_t) -> String {
        let score = (try? Files.readText("/proc/\(thread)/oom_score_adj")) ?? ""
        return score.hasPrefix("-") ? score : ""
    }

    private static func threads(of pids: [pid_t]) -> [(pid_t, path: String)] {
        pids.flatMap { pid in
            ((try? Files.names(in: "/proc/\(pid)/task")) ?? []).compactMap { name in
                pid_t(name).map { ($0, "/proc/\(pid)/task/\(name)") }
            }
        }
    }

    /// The last number in the line `NSpid` of `/proc/PID/status`.
    private static func innermostNumber(_ path: String) -> pid_t? {
        let text = (try? Files.readText("\(path)/status")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
        return line?.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap { pid_t($0) }
    }

    /// A bit for each; sched_getaffinity(2).
    private static func processors(of thread: pid_t) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Cgroup.mostProcessors / 8)
        let count = zp_sched_getaffinity(thread, &bytes, bytes.count)
        return count < 0 ? [] : bytes
    }
}
