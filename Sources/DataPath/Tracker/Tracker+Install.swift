import CBPF
import CDataPath
import Glibc
import Linux

extension Tracker {
    /// Installs the tracker if it is not there, and registers a pod. Short-lived processes only.
    static func register(networkNamespace inode: UInt64, activityMap: String) -> Status {
        do {
            return try DataPath.locked { () throws(DataPathError) in
                let kind = if let installed { installed } else { try install() }
                try system { () throws(SystemError) in
                    let map = try PinnedMap<UInt32, Int32>(namespaces)
                    let activity = try PinnedMap<UInt16, UInt64>(activityMap)
                    try map.set(UInt32(truncatingIfNeeded: inode), to: activity.descriptor.rawValue)
                }
                return .attached(kind)
            }
        } catch {
            return .unavailable(error)
        }
    }

    private static func install() throws(DataPathError) -> Kind {
        // The link is pinned last: if it is missing, the directory is what a crash has left.
        try system { () throws(SystemError) in
            try Files.removeTree(directory)
            try Files.makeDirectories(directory, mode: 0o700)
        }
        do {
            return try install(.kretprobe)
        } catch {
            // No kprobes, or not for us (lockdown), or not to be pinned: whatever it is, the other way may be open.
            return try install(.rawTracepoint)
        }
    }

    private static func install(_ kind: Kind) throws(DataPathError) -> Kind {
        let object = try BPFObject(zp_tracker_object(), name: "tracker")
        let map = try object.map("namespaces")
        BPFObject.allocateAheadIfNeeded(try object.map("probers"))
        if let inner = bpf_map__inner_map(map) { BPFObject.allocateAheadIfNeeded(inner) }
        for other in Kind.allCases where other != kind { try object.skip(program(other)) }
        try object.load()

        let link = try attach(kind, object)
        defer { bpf_link__destroy(link) }
        try system { () throws(SystemError) in try Files.remove(namespaces) }
        try system { () throws(SystemError) in try Files.remove(probers) }
        try object.pin(map: "namespaces", at: namespaces)
        try object.pin(map: "probers", at: probers)
        try BPFObject.pin(bpf_link__fd(link), at: Tracker.link(kind))
        return kind
    }

    private static func program(_ kind: Kind) -> String {
        switch kind {
        case .kretprobe: "zeropod_accepted"
        case .rawTracepoint: "zeropod_established"
        }
    }

    private static func attach(_ kind: Kind, _ object: borrowing BPFObject) throws(DataPathError) -> OpaquePointer {
        let program = try object.find(program(kind))
        let link =
            switch kind {
            case .kretprobe: bpf_program__attach_kprobe(program, true, "inet_csk_accept")
            case .rawTracepoint: bpf_program__attach_raw_tracepoint(program, "inet_sock_set_state")
            }
        guard let link else { throw .refused(.last("attach \(kind.rawValue)"), log: LibbpfLog.take()) }
        return link
    }
}
