import Glibc
import Linux

/// What processes that stand still have open besides what they listen on: connections, and UDP. Whatever comes there is
/// for them to take.
///
/// Copies of these sockets; they must be gone before the processes go on, as a connection only ends with its last copy.
package final class StillSockets {
    private let loop: EventLoop
    private var copies: [SharedDescriptor] = []

    /// Calls `onData` once, when something can be read from one of them.
    package init(of pids: [pid_t], loop: EventLoop, onData: @escaping () -> Void) throws(SystemError) {
        self.loop = loop
        guard let first = pids.first else { return }
        let wanted = try Self.inodes(inNetworkOf: first)
        var known: Set<UInt64> = []
        for pid in pids {
            for held in Process.sockets(of: pid) where wanted.contains(held.inode) && known.insert(held.inode).inserted
            {
                let copy = SharedDescriptor(try Process.copy(held))
                try loop.watch(copy.descriptor, .readable) { [weak self] _ in
                    self?.close()
                    onData()
                }
                copies.append(copy)
            }
        }
    }

    deinit { close() }

    private func close() {
        for copy in copies { loop.unwatch(copy.descriptor.rawValue) }
        copies = []
    }

    /// Of include/net/tcp_states.h. On a connection that the peer has ended nothing comes any more; applications keep
    /// such for long, unread.
    private static let ended: UInt8 = 8

    private static func inodes(inNetworkOf pid: pid_t) throws(SystemError) -> Set<UInt64> {
        let connections = try TCPSocketTable.entries(ofNetworkOf: pid).filter {
            $0.state != TCPSocketTable.Entry.listening && $0.state != ended
        }
        // The tables of UDP have the same columns.
        let datagrams = ["udp", "udp6"].flatMap { name in
            TCPSocketTable.parse((try? Files.readText("/proc/\(pid)/net/\(name)")) ?? "")
        }
        return Set((connections + datagrams).map(\.inode))
    }
}
