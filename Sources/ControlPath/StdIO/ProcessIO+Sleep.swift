import Glibc
import Linux

/// While a process is checkpointed, the ends of the pipes that it had are gone with it. Copies of ours take their place,
/// so that the other ends see no end, and CRIU gives them to the restored process.
extension ProcessIO {
    /// A pipe's end that the process has.
    package struct ProcessEnd: Equatable, Sendable {
        /// 0, 1 or 2.
        package let number: Int32
        package let descriptor: Int32
        /// `pipe:[inode]`, as CRIU's images and `inherit_fd` name it.
        package let key: String
    }

    /// Call it before the process may be gone. Streams that have ended already, or are /dev/null, need nothing.
    /// - Parameter pid: the process, whose pipes may have been made non-blocking by itself.
    package func hold(of pid: pid_t? = nil) throws(SystemError) {
        if isTerminal { throw SystemError("hold a terminal open", code: ENOTSUP) }
        do {
            // With the flags that the process's own would have: what CRIU hands over is this open file.
            try hold(0, try input?.reopenSink(O_RDONLY))
            for number in [Int32(1), 2] {
                if let output = outputs[number] {
                    try hold(number, try output.reopenSource(O_WRONLY))
                } else {
                    try hold(number, try logger?.reopen(number))
                }
            }
            if let pid { try adoptFlags(of: pid) }
        } catch {
            release()
            throw error
        }
    }

    /// What CRIU hands over is an open file of ours, and not the one that the process had.
    private func adoptFlags(of pid: pid_t) throws(SystemError) {
        for end in processEnds {
            guard (try? Files.target(ofLink: "/proc/\(pid)/fd/\(end.number)")) == end.key,
                let flags = Process.fileFlags(of: pid, end.number)
            else { continue }
            try held[end.number]?.descriptor.setNonBlocking(flags & O_NONBLOCK != 0)
        }
    }

    private func hold(_ number: Int32, _ end: SharedDescriptor?) throws(SystemError) {
        if let end, held[number] == nil { held[number] = end }
    }

    /// What is held now.
    package var processEnds: [ProcessEnd] {
        held.sorted { $0.key < $1.key }.compactMap { number, shared in
            guard let status = try? shared.descriptor.status() else { return nil }
            return ProcessEnd(
                number: number, descriptor: shared.descriptor.rawValue, key: "pipe:[\(status.st_ino)]")
        }
    }

    /// Leaves the ends to the process alone: runc has started it, or CRIU has restored it (or it is gone for good).
    package func release() {
        held = [:]
        // runc has sent the terminal before it ended, or never will.
        if let console {
            console.collect()
            self.console = nil
            outputEnded()
        }
    }
}
