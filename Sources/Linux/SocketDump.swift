import Glibc

/// What sock_diag(7) tells, in as much room as it takes.
enum SocketDump {
    /// Each takes a hundred bytes for a moment.
    private static let most = 32 << 12

    /// - Parameters:
    ///   - empty: what the room is filled with at first.
    ///   - read: fills it, and returns how many there were; -E2BIG if it is too small, another -errno.
    static func all<Raw>(
        _ what: String, _ empty: Raw, _ read: (UnsafeMutablePointer<Raw>?, Int) -> Int32
    ) throws(SystemError) -> [Raw] {
        var capacity = 32
        while true {
            var raw = [Raw](repeating: empty, count: capacity)
            let count = read(&raw, capacity)
            if count >= 0 { return Array(raw[..<Int(count)]) }
            if count != -E2BIG || capacity >= most { throw SystemError("sock_diag", what, code: -count) }
            capacity *= 8
        }
    }
}
