import CLinux
import Glibc

/// Pipes, fifos and terminals.
extension Descriptor {
    package var isPipe: Bool { ((try? status())?.st_mode ?? 0) & S_IFMT == S_IFIFO }

    /// ioctl(FIONREAD): what could be read now. Either end of a pipe tells it.
    package var bytesReadable: Int {
        var count: Int32 = 0
        return zp_ioctl(rawValue, UInt(FIONREAD), &count) < 0 ? 0 : Int(count)
    }

    /// splice(2) from this pipe to another without blocking; the pages move, nothing is copied.
    /// - Returns: how many bytes went over, 0 at the end of this pipe, nil when this one is empty or the other full.
    package func splice(to sink: borrowing Descriptor, atMost count: Int) throws(SystemError) -> Int? {
        do {
            return try retrying("splice", "descriptor \(rawValue)") {
                Glibc.splice(rawValue, nil, sink.rawValue, nil, count, UInt32(SPLICE_F_NONBLOCK | SPLICE_F_MOVE))
            }
        } catch {
            if error.code == EAGAIN { return nil }
            throw error
        }
    }

    /// A new description of what is open here, with other flags: the write end of a pipe from its read end, say.
    package func reopened(_ flags: Int32) throws(SystemError) -> Descriptor {
        try Descriptor.open(path, flags)
    }

    /// The size of the terminal's window (ioctl TIOCSWINSZ); the programs in it get SIGWINCH.
    package func setWindowSize(columns: UInt16, rows: UInt16) throws(SystemError) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try checking("ioctl(TIOCSWINSZ)", "", zp_ioctl(rawValue, UInt(TIOCSWINSZ), &size))
    }

    /// How many columns the terminal's window has (ioctl TIOCGWINSZ); nil if this is no terminal, or one that does not say.
    package var windowColumns: Int? {
        var size = winsize()
        guard zp_ioctl(rawValue, UInt(TIOCGWINSZ), &size) >= 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
