import DataPath
import Glibc
import Linux
import Synchronization

/// Sockets on which a container listens only since it was decided that it sleeps. Nobody has a copy of them and their
/// ports are not redirected: while its processes are away a connection there would be refused.
final class LateListeners: Sendable {
    private let namespace: Namespace
    /// Of which there are copies.
    private let kept: Set<UInt64>
    /// Where new connections are held, whoever listens.
    private let redirected: Set<UInt16>
    /// The only ones that count; nil: all do.
    private let named: Set<UInt16>?
    private let found = Mutex<Set<UInt16>>([])

    init(
        in namespace: borrowing Namespace, kept: Set<UInt64>, redirected: Set<UInt16>, named: Set<UInt16>?
    ) throws(SystemError) {
        self.namespace = try namespace.duplicate()
        self.kept = kept
        self.redirected = redirected
        self.named = named
    }

    /// The ports of those that were seen.
    var ports: Set<UInt16> { found.withLock { $0 } }

    /// Looks for them, when the processes stand still. Any thread may ask.
    ///
    /// - Returns: false if there are some, or if that cannot be known.
    func areAbsent(of pids: [pid_t]) -> Bool {
        // Who cannot be told of may be there.
        guard let all = try? namespace.inside({ () throws(SystemError) in try ListeningSocket.all() }) else {
            return false
        }
        let late = all.filter {
            !kept.contains($0.inode) && !redirected.contains($0.port) && named?.contains($0.port) != false
        }
        if late.isEmpty { return true }
        let held = Process.sockets(of: pids)
        let ports = Set(late.filter { held[$0.inode] != nil }.map(\.port))
        found.withLock { $0 = ports }
        return ports.isEmpty
    }
}
