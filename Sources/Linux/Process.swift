import CLinux
import Glibc

/// What `/proc/PID` tells about a process.
package enum Process {
    /// Ends this process because its own state cannot be trusted any more.
    package static func abort(_ reason: String) -> Never {
        _ = try? Descriptor.open("/dev/stderr", O_WRONLY).writeAll(Array("\(reason)\n".utf8))
        exit(70)
    }

    /// Field 22 of `/proc/PID/stat`: when the process started, in clock ticks since boot. With the pid it names a
    /// process for good.
    package static func startTime(of pid: pid_t) throws(SystemError) -> UInt64 {
        let path = "/proc/\(pid)/stat"
        // The command's name, field 2, may hold spaces and brackets; what follows its last bracket does not.
        let text = try Files.readText(path)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 20, let value = UInt64(fields[20]) else { throw SystemError("parse", path, code: EBADMSG) }
        return value
    }

    /// Field 7 of `/proc/PID/stat`, counted as in `startTime`: the device of its session's terminal; 0 for none.
    package static func hasControllingTerminal(_ pid: pid_t) -> Bool {
        guard let text = try? Files.readText("/proc/\(pid)/stat") else { return false }
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        return fields.count > 5 && fields[5] != "0"
    }

    /// Clock ticks that a process and its descendants have spent on processors; what has ended counts no more.
    package static func processorTime(ofTree pid: pid_t) -> UInt64 {
        var ticks: UInt64 = 0
        if let text = try? Files.readText("/proc/\(pid)/stat") {
            // Fields 14 and 15, counted as in `startTime`.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            for index in [12, 13] where fields.count > index { ticks += UInt64(fields[index]) ?? 0 }
        }
        let children = (try? Files.readText("/proc/\(pid)/task/\(pid)/children")) ?? ""
        for child in children.split(separator: " ").compactMap({ pid_t($0) }) { ticks += processorTime(ofTree: child) }
        return ticks
    }

    /// A line of `/proc/PID/status`, without its name: `statusField("SigCgt", of: 1)`.
    package static func statusField(_ name: String, of pid: pid_t) throws(SystemError) -> Substring? {
        for line in try Files.readText("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix(name + ":") {
            return line.dropFirst(name.count + 1).drop { $0 == "\t" || $0 == " " }
        }
        return nil
    }

    /// Ends this process with the one that started it (prctl(2), PR_SET_PDEATHSIG).
    package static func endWithParent() throws(SystemError) {
        try checking("prctl(PR_SET_PDEATHSIG)", "", zp_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL)))
    }

    package static func exists(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 || errno == EPERM }

    /// kill(2).
    package static func signal(_ signal: Int32, to pid: pid_t) throws(SystemError) {
        try retrying("kill", "\(pid)") { kill(pid, signal) }
    }

    /// The numbers of a process's descriptors that /proc shows as links to this.
    package static func descriptors(of pid: pid_t, linkedTo target: String) -> [Int32] {
        let directory = "/proc/\(pid)/fd"
        return ((try? Files.names(in: directory)) ?? []).compactMap { name in
            (try? Files.target(ofLink: "\(directory)/\(name)")) == target ? Int32(name) : nil
        }
    }

    /// Inodes of the sockets that a process holds.
    package static func socketInodes(of pid: pid_t) -> Set<UInt64> { Set(sockets(of: pid).map(\.inode)) }
}
