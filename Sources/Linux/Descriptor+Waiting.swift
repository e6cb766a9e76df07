import CLinux
import Glibc

extension Descriptor {
    /// A copy of this process's standard input; nil if that is closed.
    package static func standardInput() -> Descriptor? {
        let copy = zp_fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        return copy < 0 ? nil : Descriptor(owning: copy)
    }

    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// poll(2): whether something can be read, or the end has come, before `deadline`.
    package func isReadable(before deadline: Instant) throws(SystemError) -> Bool {
        while true {
            var request = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
            let left = deadline.since(.now)
            // Rounded up: what is left of a millisecond is waited for too.
            let milliseconds = Int32(clamping: (left.nanoseconds + 999_999) / 1_000_000)
            let ready = poll(&request, 1, milliseconds)
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { throw .last("poll", "descriptor \(rawValue)") }
        }
    }

    /// Reads to the end of a blocking descriptor whose writer may be anybody.
    /// - Throws: EMSGSIZE after more than `limit` bytes, ETIMEDOUT if bytes came and no end before `deadline`.
    /// - Returns: empty also if nothing at all has come before `deadline`.
    package func readAll(limit: Int, before deadline: Instant) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while try isReadable(before: deadline) {
            guard let more = try read(atMost: 64 << 10) else { continue }
            if more.isEmpty { return bytes }
            bytes += more
            if bytes.count > limit { throw SystemError("read", "more than \(limit) bytes", code: EMSGSIZE) }
        }
        if bytes.isEmpty { return [] }
        throw SystemError("read", "to the end, after \(bytes.count) bytes", code: ETIMEDOUT)
    }
}
