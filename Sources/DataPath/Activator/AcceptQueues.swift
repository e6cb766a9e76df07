import Glibc
import Linux

/// A container's own listening sockets, kept open while its processes are away, so that connections go on queueing up in
/// them and the application itself accepts the first one.
///
/// The restored processes have sockets of their own, bound beside these. All are of one SO_REUSEPORT group, of which the
/// kernel hands the queue of a member that closes to another (`net.ipv4.tcp_migrate_req`, Linux 5.14). CRIU sets the
/// option while it binds, whether the application had it or not.
///
/// No other process may hold a copy: only the last close hands anything over. They are close-on-exec, and nothing here
/// forks without exec.
package final class AcceptQueues {
    private final class Queue {
        let socket: ListeningSocket
        let descriptor: Descriptor

        init(_ socket: ListeningSocket, _ descriptor: consuming Descriptor) {
            self.socket = socket
            self.descriptor = descriptor
        }
    }

    private let loop: EventLoop
    private let namespace: Namespace
    private var queues: [Queue] = []
    private var isWatching = false
    /// The application's processes have ended, so that these are the last copies.
    private var isAlone = false
    /// The ports of which every listening socket of the container is here.
    package private(set) var ports: Set<UInt16>

    /// Keeps what these processes listen on, of the ports that are asked for. For the application nothing changes.
    package init(
        of pids: [pid_t], ports: Set<UInt16>, in network: borrowing Namespace, loop: EventLoop
    ) throws(SystemError) {
        let namespace = try network.duplicate()
        let listening = try namespace.inside { () throws(SystemError) in
            try Files.write("1", to: "/proc/sys/net/ipv4/tcp_migrate_req")
            return try ListeningSocket.all()
        }
        var wanted: [UInt64: ListeningSocket] = [:]
        for socket in listening where ports.contains(socket.port) { wanted[socket.inode] = socket }
        self.loop = loop
        self.namespace = namespace
        self.ports = []
        for pid in pids where !wanted.isEmpty {
            for held in Process.sockets(of: pid) {
                guard let socket = wanted.removeValue(forKey: held.inode) else { continue }
                queues.append(Queue(socket, try Process.copy(held)))
                self.ports.insert(socket.port)
            }
        }
    }

    deinit {
        stopWatching()
    }

    /// The inode numbers of the sockets that are kept.
    package var sockets: Set<UInt64> { Set(queues.map(\.socket.inode)) }

    /// How many connections wait now.
    package var waiting: Int { queues.reduce(0) { $0 + TCPSocket.waitingConnections($1.descriptor) } }

    /// Nobody accepts for the time being.
    private var isUnattended = false

    /// How many connections wait for processes that are away, or stand still.
    package var held: Int { isAlone || isUnattended ? waiting : 0 }

    /// The processes stand still: what comes waits in sockets that are still theirs.
    package func processesStandStill() { isUnattended = true }

    /// Calls `onConnection` once, when a connection waits.
    package func watch(onConnection: @escaping () -> Void) throws(SystemError) {
        isWatching = true
        for queue in queues {
            try loop.watch(queue.descriptor, .readable) { [weak self] _ in
                self?.stopWatching()
                onConnection()
            }
        }
    }

    private func stopWatching() {
        if !isWatching { return }
        isWatching = false
        for queue in queues { loop.unwatch(queue.descriptor.rawValue) }
    }

    /// The processes are gone, and the sockets are ours alone: lets those of the restored processes bind beside them.
    ///
    /// - Returns: the ports for which that failed, with the reason. Their sockets are closed: they would be in the way.
    package func makeRoom() -> [UInt16: SystemError] {
        isAlone = true
        var failures: [UInt16: SystemError] = [:]
        for queue in queues {
            do throws(SystemError) {
                // Only sockets of one owner share a group. What CRIU makes is root's, whoever had made the original.
                try retrying("fchown", "\(queue.socket.key)") {
                    fchown(queue.descriptor.rawValue, geteuid(), getegid())
                }
                try TCPSocket.set(.reusePort, true, of: queue.descriptor)
                try namespace.inside { () throws(SystemError) in try LongQueue.listen(queue.descriptor) }
            } catch {
                failures[queue.socket.port] = error
            }
        }
        drop { failures[$0.port] != nil }
        ports.subtract(failures.keys)
        return failures
    }

    /// Closes everything. What waits goes to the application, if it listens.
    ///
    /// - Returns: sockets that the application does not have any more. Connections that waited in them have been reset.
    package func handOver() throws(SystemError) -> [ListeningSocket.Key] {
        defer { drop { _ in true } }
        if !isAlone { return [] }
        let own = Set(queues.map(\.socket.inode))
        let listening = try namespace.inside { () throws(SystemError) in try ListeningSocket.all() }
        let successors = Set(listening.filter { !own.contains($0.inode) }.map(\.key))
        return queues.map(\.socket.key).filter { !successors.contains($0) }
    }

    /// Accepts what waits and closes everything. What cannot be accepted, for want of descriptors, is reset.
    func takeWaiting(_ body: (OpenSocket) -> Void) {
        defer { drop { _ in true } }
        // Else it is the application's to accept; and whether that blocks, too.
        if !isAlone { return }
        for queue in queues where (try? queue.descriptor.setNonBlocking()) != nil {
            while let client = try? TCPSocket.accept(queue.descriptor) { body(OpenSocket(client)) }
        }
    }

    private func drop(where isDropped: (ListeningSocket) -> Bool) {
        if isWatching {
            for queue in queues where isDropped(queue.socket) { loop.unwatch(queue.descriptor.rawValue) }
        }
        queues.removeAll { isDropped($0.socket) }
    }
}
