import DataPath
import Glibc
import Linux

/// Whether something that can be read when a container is about to fall asleep is something that it is wanted for.
struct WaitingQuestion: Sendable {
    /// The pod's network.
    private let connections: @Sendable () throws(SystemError) -> [TCPConnection]
    /// Connections that had been ended by their peers when the sleep was decided: some applications keep such for long.
    private let endedBefore: Set<UInt64>

    /// What an application has not read for so long it does not read: the time that it has for an answer.
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
    ///   - leftUnread: inodes of those that had something before too, which nobody has read.
    /// - Returns: inodes of those that the processes are wanted for.
    func needed(of readable: [Int32], but leftUnread: Set<UInt64>) throws(SystemError) -> Set<UInt64> {
        if readable.isEmpty { return [] }
        let open = try connections()
        var needed: Set<UInt64> = []
        for number in readable {
            var status = stat()
            try retrying("fstat", "descriptor \(number)") { fstat(number, &status) }
            let inode = UInt64(status.st_ino)
            if case .connection = Endpoint(of: number) {
                if let connection = open.first(where: { $0.inode == inode }), isNeeded(connection) {
                    needed.insert(inode)
                }
            } else if !leftUnread.contains(inode) {
                needed.insert(inode)
            }
        }
        return needed
    }

    private func isNeeded(_ connection: TCPConnection) -> Bool {
        if let age = connection.unreadSince, age < Self.longestUnread { return true }
        return connection.peerHasEnded && !endedBefore.contains(connection.inode)
    }
}
