import CLinux
import Glibc

/// An open file descriptor with one owner. It is closed when its owner lets go of it.
package struct Descriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    /// Takes over a descriptor: from now on it is closed here and nowhere else.
    package init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        _ = Glibc.close(rawValue)
    }

    /// Gives the descriptor up without closing it.
    package consuming func release() -> Int32 {
        let value = rawValue
        discard self
        return value
    }

    /// dup(2), close-on-exec.
    package func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try checking("fcntl(F_DUPFD_CLOEXEC)", "\(rawValue)", zp_fcntl(rawValue, F_DUPFD_CLOEXEC, 0)))
    }

    /// `/proc/self/fd/N`: a name for what is open, for calls that take only paths. Valid in this process alone.
    package var path: String { "/proc/self/fd/\(rawValue)" }

    /// open(2), close-on-exec.
    package static func open(
        _ path: String, _ flags: Int32 = O_RDONLY, mode: mode_t = 0o600
    ) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retrying("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) })
    }

    /// A copy of this process's standard output.
    package static func standardOutput() throws(SystemError) -> Descriptor { try copy(of: STDOUT_FILENO, "stdout") }

    /// A copy of this process's standard error.
    package static func standardError() throws(SystemError) -> Descriptor { try copy(of: STDERR_FILENO, "stderr") }

    private static func copy(of number: Int32, _ name: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try checking("fcntl(F_DUPFD_CLOEXEC)", name, zp_fcntl(number, F_DUPFD_CLOEXEC, 0)))
    }

    /// pipe2(2), close-on-exec.
    package static func pipe() throws(SystemError) -> Pipe {
        var ends: [Int32] = [-1, -1]
        try retrying("pipe2") { pipe2(&ends, O_CLOEXEC) }
        return Pipe(read: Descriptor(owning: ends[0]), write: Descriptor(owning: ends[1]))
    }

    package struct Pipe: ~Copyable {
        package var read: Descriptor
        package var write: Descriptor
    }

    package func setNonBlocking(_ on: Bool = true) throws(SystemError) {
        let flags = try checking("fcntl(F_GETFL)", "", zp_fcntl(rawValue, F_GETFL, 0))
        let changed = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        try checking("fcntl(F_SETFL)", "", zp_fcntl(rawValue, F_SETFL, changed))
    }

    // MARK: Reading and writing

    /// read(2) of at most `buffer.count` bytes.
    /// - Returns: how many arrived, 0 at the end of the file, nil when a non-blocking descriptor has none for now.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
        try orWouldBlock("read") { Glibc.read(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// write(2). Sockets and pipes without a reader give EPIPE: SIGPIPE is ignored in these processes.
    /// - Returns: how many were taken, nil when a non-blocking descriptor takes none for now.
    package func write(_ buffer: UnsafeRawBufferPointer) throws(SystemError) -> Int? {
        try orWouldBlock("write") { Glibc.write(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// read(2) of at most `count` bytes.
    /// - Returns: what arrived, empty at the end of the file, nil when a non-blocking descriptor has nothing for now.
    package func read(atMost count: Int) throws(SystemError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard let read = try orWouldBlock("read", { Glibc.read(rawValue, &bytes, count) }) else { return nil }
        bytes.removeLast(count - read)
        return bytes
    }

    /// write(2), as above.
    package func write(_ bytes: [UInt8]) throws(SystemError) -> Int? {
        try orWouldBlock("write") { Glibc.write(rawValue, bytes, bytes.count) }
    }

    /// write(2) of a part of an array.
    package func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int? {
        try orWouldBlock("write") { bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) } }
    }

    private func orWouldBlock(_ operation: String, _ call: () -> Int) throws(SystemError) -> Int? {
        do {
            return try retrying(operation, "descriptor \(rawValue)", call)
        } catch {
            if error.code == EAGAIN { return nil }
            throw error
        }
    }

    /// Reads to the end of a blocking descriptor, at most `limit` bytes.
    package func readAll(limit: Int = 16 << 20) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < limit {
            let count = try retrying("read", "descriptor \(rawValue)") { Glibc.read(rawValue, &chunk, chunk.count) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }

    /// Writes everything to a blocking descriptor.
    package func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try retrying("write", "descriptor \(rawValue)") {
                bytes.withUnsafeBytes { bytes in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                    return Glibc.write(rawValue, rest.baseAddress, rest.count)
                }
            }
        }
    }
}
