import Checkpoint
import DataPath
import Glibc
import Linux
import Synchronization

/// The open connections of one container while it falls asleep, sleeps and wakes.
final class OpenConnections: ConnectionKeeper {
    private let held: HeldConnections
    private let slot: UInt32
    private let namespace: Namespace
    private let processes: @Sendable () -> [pid_t]
    /// Those on these ports have been closed.
    private let passivePorts: Set<UInt16>
    /// Those of which the application has known the end for as long as a checkpoint takes to begin.
    private let endedBefore: Set<UInt64>
    /// How many there were when the checkpoint was decided.
    let found: Int
    private let failure = Mutex<SystemError?>(nil)

    init(
        _ held: HeldConnections, slot: UInt32, in namespace: borrowing Namespace, passivePorts: Set<UInt16>,
        of processes: @escaping @Sendable () -> [pid_t]
    ) throws(SystemError) {
        self.held = held
        self.slot = slot
        self.namespace = try namespace.duplicate()
        self.passivePorts = passivePorts
        let sockets = Process.sockets(of: processes())
        let open = try TCPConnection.all(in: namespace).filter { sockets[$0.inode] != nil }
        endedBefore = Set(open.filter(\.peerHasEnded).map(\.inode))
        found = open.count
        self.processes = processes
    }

    deinit {
        try? held.letGo(slot: slot)
    }

    /// Why the connections could not be kept when they last had to be.
    var obstacle: SystemError? { failure.withLock { $0 } }

    func processesStopped() -> Bool {
        attempt { () throws(SystemError) in
            let sockets = Process.sockets(of: processes())
            var tracking = try? namespace.inside { () throws(SystemError) in try ConnectionTracking() }
            var arriving: [TCPConnection] = []
            for connection in try mine(sockets) {
                let socket = sockets[connection.inode]
                do throws(SystemError) {
                    arriving += try asItArrives(connection, socket, tracking)
                } catch {
                    // Where a module is missing, each question would have the kernel look for it.
                    tracking = nil
                    arriving += meant(connection, socket)
                }
            }
            try held.hold(arriving, slot: slot)
            // What came before that is in the sockets, and for an application that stands still: is it asked for?
            return try !mine(sockets).contains { isNeeded($0) }
        }
    }

    private func mine(_ sockets: [UInt64: Process.HeldSocket]) throws(SystemError) -> [TCPConnection] {
        try TCPConnection.all(in: namespace).filter {
            sockets[$0.inode] != nil && !passivePorts.contains($0.local.port)
        }
    }

    /// Packets are held where rules of the pod (REDIRECT, DNAT) have not led them to the socket yet; or have done so
    /// already, if they come from within the pod.
    private func asItArrives(
        _ connection: TCPConnection, _ socket: Process.HeldSocket?, _ tracking: borrowing ConnectionTracking?
    ) throws(SystemError) -> [TCPConnection] {
        // Most kernels with NAT can tell.
        switch tracking {
        case .some(let tracking):
            guard let (local, remote) = try tracking.arrival(of: connection) else { return [connection] }
            return connection.translated(at: local, from: remote)
        case .none: return meant(connection, socket)
        }
    }

    /// What the socket itself knows: the addresses of those that were accepted.
    private func meant(_ connection: TCPConnection, _ socket: Process.HeldSocket?) -> [TCPConnection] {
        guard let socket, let copy = try? Process.copy(socket),
            let meant = TCPSocket.originalDestination(copy, connection.local.family),
            // That of a connection which the application has made is the peer.
            (meant.address, meant.port) != (connection.remote.address, connection.remote.port)
        else { return [connection] }
        return connection.translated(at: meant, from: connection.remote)
    }

    private func isNeeded(_ connection: TCPConnection) -> Bool {
        if connection.unacknowledged > 0 { return true }
        if let age = connection.unreadSince, age < Self.longestUnread { return true }
        return connection.peerHasEnded && !endedBefore.contains(connection.inode)
    }

    func processesLeave(_ connections: [UInt64: ConnectionImage]) -> Bool {
        attempt { () throws(SystemError) in
            let standings = connections.mapValues {
                HeldConnections.Standing(
                    received: $0.received, sent: $0.sent, timestamp: $0.timestamp, window: $0.window,
                    isUnread: $0.unread > 0)
            }
            // Another processor may have let a packet pass just before they were held, and have been slow to queue it.
            if try mine(Process.sockets(of: processes())).contains(where: { isNeeded($0) }) { return false }
            return try held.leave(standings, slot: slot)
        }
    }

    /// CRIU dumps the sockets first and the memory last, and until it ends them in repair mode (tcp_established): then
    /// reading fails, and what is written or closed does not leave.
    func criuIsKilled() {
        _ = attempt { () throws(SystemError) in
            let sockets = Process.sockets(of: processes())
            for connection in try TCPConnection.all(in: namespace) {
                // Who has ended meanwhile has closed it.
                guard let socket = sockets[connection.inode], let copy = try? Process.copy(socket) else { continue }
                try TCPSocket.endRepair(copy)
            }
            return true
        }
    }

    func processesRun() {
        _ = attempt { () throws(SystemError) in
            try held.letGo(slot: slot)
            return true
        }
    }

    /// Packets that end those that are kept.
    var resets: [[UInt8]] { held.resets(slot: slot) }

    /// How many are kept now.
    var kept: Int { held.counts(slot: slot).open }

    /// What an application has not read for so long it does not read: the time that it has for an answer.
    private static let longestUnread = Instant.Span.seconds(300)

    private func attempt(_ body: () throws(SystemError) -> Bool) -> Bool {
        do throws(SystemError) {
            return try body()
        } catch {
            failure.withLock { $0 = error }
            return false
        }
    }

    // MARK: Closing

    /// Ends connections in order: the peer sees FIN after what was sent, and the application the end of the connection.
    static func close(
        of pids: [pid_t], in namespace: borrowing Namespace, where isClosed: (TCPConnection) -> Bool
    ) throws(SystemError) -> Int {
        let sockets = Process.sockets(of: pids)
        var count = 0
        for connection in try TCPConnection.all(in: namespace) where connection.isOpen && isClosed(connection) {
            // A process that has ended meanwhile, or has closed it, has done the same.
            guard let socket = sockets[connection.inode], let copy = try? Process.copy(socket) else { continue }
            TCPSocket.endBoth(copy)
            count += 1
        }
        return count
    }
}
