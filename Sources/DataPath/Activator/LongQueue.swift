import Glibc
import Linux

/// The length of the queues in which connections wait for a container that is away.
///
/// Thousands of clients may come in the tens of milliseconds of a wake. Those that find the queue full lose a second,
/// and one that waits for the server to speak first may wait for ever, if its connection began with a SYN cookie: the
/// kernel then keeps nothing by which it could remember it. Each may have sent up to `net.ipv4.tcp_rmem` bytes; all
/// together are bounded by the kernel (`net.ipv4.tcp_mem`).
enum LongQueue {
    static let length: Int32 = 16384
    private static let limit = "/proc/sys/net/core/somaxconn"

    /// listen(2), past the limit of the network namespace that the calling thread is in. The limit is what it was
    /// afterwards: it is the applications'.
    static func listen(_ socket: borrowing Descriptor, length: Int32 = length) throws(SystemError) {
        try beyondLimit(length) { () throws(SystemError) in try TCPSocket.listen(socket, backlog: length) }
    }

    /// The same for a socket that listens already. False: its queue is as long as it was.
    static func lengthen(_ number: Int32) -> Bool { beyondLimit(length) { Glibc.listen(number, length) == 0 } }

    private static func beyondLimit<Result, Failure: Error>(
        _ length: Int32, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = try? Files.readText(limit)
        // Without it the queue is as long as it may be.
        try? Files.write("\(length)", to: limit)
        defer { if let before { try? Files.write(before, to: limit) } }
        return try body()
    }
}
