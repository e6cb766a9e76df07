import CDataPath
import Glibc
import Linux

/// The program that all pods of the node share: it notes accepted connections in the activity map of the pod whose
/// network namespace they belong to.
///
/// It is installed with the first pod and taken away with the last. Whoever changes that holds a lock, and every step
/// leaves something that the next holder can tell from a finished one.
package enum Tracker {
    /// What it is attached to.
    package enum Kind: String, CaseIterable, Sendable {
        /// The return of `inet_csk_accept`: needs kprobes, and Linux 5.15 to outlive the process that attached it. The
        /// kernel follows max(10, twice the CPUs) calls at a time; where more threads of the node sleep in accept(2), the
        /// returns of the others are missed. Declared ports do not depend on it: their packets are seen anyway.
        case kretprobe
        /// `inet_sock_set_state`: where there are no kprobes.
        case rawTracepoint = "raw_tracepoint"
    }

    package enum Status: Sendable, CustomStringConvertible {
        case attached(Kind)
        /// Idleness is then told from packets alone.
        case unavailable(DataPathError)

        package var description: String {
            switch self {
            case .attached(.kretprobe): "kretprobe on inet_csk_accept"
            case .attached(.rawTracepoint): "raw tracepoint inet_sock_set_state (no kretprobe here)"
            case .unavailable(let error): "none (\(error))"
            }
        }
    }

    static let directory = "\(DataPath.root)/tracker"
    static let namespaces = "\(directory)/namespaces"
    static let probers = "\(directory)/probers"
    static func link(_ kind: Kind) -> String { "\(directory)/\(kind.rawValue)" }

    /// Which one is attached on this node, if any.
    package static var installed: Kind? {
        Kind.allCases.first { Files.exists(link($0)) }
    }

    /// Forgets a namespace; the last one takes the tracker along. Does nothing if there is no tracker.
    static func unregister(networkNamespace inode: UInt64) throws(DataPathError) {
        guard Files.exists(directory) else { return }
        try DataPath.locked { () throws(DataPathError) in
            try system { () throws(SystemError) in
                if let map = try? PinnedMap<UInt32, UInt32>(namespaces) {
                    try map.remove(UInt32(truncatingIfNeeded: inode))
                    if !map.keys(limit: 1).isEmpty { return }
                } else if Files.exists(TaskIterator.path) {
                    // This kernel takes no tracker, so nobody knows who is the last that needs the other one.
                    return
                }
                try Files.removeTree(directory)
            }
        }
    }
}
