import DataPath
import Glibc
import Linux

/// Whether something that can be read when a container is about to fall asleep is something that it is wanted for.
struct WaitingQuestion: Sendable {
    /// The pod's network.
    private let connections: @Sendable () throws(SystemError) -> [TCPConnection]
    /// Connections that had been ended by their peers when the sleep was decided: some applications keep such for long.
    private let endedBefore: Set<UInt64>

    /// Data that was left unread for so long counts as never read. It is the time that an application has for an
    /// answer.
    private static let longestUnread = Instant.Span.seconds(300)

    init(in namespace: borrowing Namespace, endedBefore: Set<UInt64>) throws(SystemError) {
        let pod = SharedNamespace(try namespace.duplicate())
        connections = { () throws(SystemError) in try TCPConnection.all(in: pod.namespace) }
        self.endedBefore = endedBefore
    }

    private final class SharedNamespace: Sendable {
        let namespace: Namespace
        init(_ namespace: consuming Namespace) { self.namespace = namespace }
    }

    /// - Parameters:
    ///   - readable: descriptors of this process on which there is something.
    ///   - leftUnread: how much of that was there before already, which nobody has read since: by inode.
    /// - Returns: whether the processes are wanted for any of it; and how much is there now.
    func answer(
        for readable: [Int32], but leftUnread: [UInt64: UInt64]
    ) throws(SystemError) -> (isNeeded: Bool, unread: [UInt64: UInt64]) {
        if readable.isEmpty { return (false, [:]) }
        let open = try connections()
        var (isNeeded, unread) = (false, [UInt64: UInt64]())
        for number in readable {
            var status = stat()
            try retrying("fstat", "descriptor \(number)") { fstat(number, &status) }
            let inode = UInt64(status.st_ino)
            if case .connection = Endpoint(of: number) {
                if let connection = open.first(where: { $0.inode == inode }), isWanted(connection) { isNeeded = true }
            } else if let amount = Endpoint.unread(number) {
                unread[inode] = amount
                if leftUnread[inode] != amount { isNeeded = true }
            } else {
                isNeeded = true
            }
        }
        return (isNeeded, unread)
    }

    private func isWanted(_ connection: TCPConnection) -> Bool {
        if let age = connection.unreadSince, age < Self.longestUnread { return true }
        return connection.peerHasEnded && !endedBefore.contains(connection.inode)
    }
}
