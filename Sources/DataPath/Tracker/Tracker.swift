import CBPF
import CDataPath
import Glibc
import Linux

/// The program that all pods of the node share: it notes accepted connections in the activity map of the pod whose
/// network namespace they belong to.
///
/// It is installed with the first pod and taken away with the last. Installing and removing it takes a lock, and every
/// step leaves something that the next holder of the lock can tell from a finished installation.
package enum Tracker {
    /// What the program is attached to.
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

    /// Whether what it notes of a pod's connections is heeded. If not, it notes that where nobody reads it, and still counts
    /// the pod among those that need it.
    static func setHeeded(
        _ isHeeded: Bool, networkNamespace inode: UInt64, activityMap: String
    ) throws(SystemError) {
        let pod = UInt32(truncatingIfNeeded: inode)
        guard let map = try? PinnedMap<UInt32, Int32>(namespaces), map[pod] != nil else { return }
        if isHeeded {
            let activity = try PinnedMap<UInt16, UInt64>(activityMap)
            try map.set(pod, to: activity.descriptor.rawValue)
            return
        }
        // As struct activity_map of bpf/activity.h, which the kernel compares it with.
        var options = bpf_map_create_opts()
        options.sz = MemoryLayout<bpf_map_create_opts>.size
        options.map_flags = BPFObject.allocatesAhead ? 0 : UInt32(BPF_F_NO_PREALLOC)
        let unread = Descriptor(
            owning: try retrying("bpf_map_create") {
                bpf_map_create(BPF_MAP_TYPE_HASH, nil, 2, 8, UInt32(ZP_MAX_PORTS), &options)
            })
        try map.set(pod, to: unread.rawValue)
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
                    // This kernel takes no tracker, so nobody knows which pod is the last that needs the iterator.
                    return
                }
                try Files.removeTree(directory)
            }
        }
    }
}
