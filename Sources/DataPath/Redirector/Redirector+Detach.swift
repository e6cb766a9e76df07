import CBPF
import CDataPath
import Linux

extension Redirector {
    /// Takes a pod's redirector away: links, programs, maps, directories, the tracker's entry, and the tracker itself
    /// with its last pod. Works on whatever is left of a pod, also when no process of it lives any more; does nothing
    /// if there is nothing.
    ///
    /// On kernels without tcx the filters stay on the interfaces until these are gone; `networkNamespace` removes
    /// them now.
    package static func detach(pod: String) throws(DataPathError) {
        let pins = PodPins(pod: pod)
        // The tracker first: afterwards nobody knows which namespace the pod had. If that fails the rest still goes.
        var failure: DataPathError?
        if let map = try? PinnedMap<UInt32, zp_pod>(pins.path(.pod)), let pod = map[0] {
            do { try Tracker.unregister(networkNamespace: UInt64(pod.network_namespace)) } catch { failure = error }
        }
        detachLinks(in: pins.links)
        try system { () throws(SystemError) in
            try Files.removeTree(pins.directory)
            try Files.removeTree(pins.unfinished)
        }
        if let failure { throw failure }
        // Parents that other pods still use refuse to go; those that are about to be used are under the lock.
        try DataPath.locked { () throws(DataPathError) in
            for parent in ["\(DataPath.root)/pods", "\(DataPath.root)/unfinished", DataPath.root] {
                try? Files.removeEmptyDirectory(parent)
            }
        }
    }

    /// Without its pin a link goes too, but only some time after (RCU, a work queue).
    private static func detachLinks(in directory: String) {
        for name in (try? Files.names(in: directory)) ?? [] {
            guard let link = try? TrafficPrograms.open("\(directory)/\(name)") else { continue }
            // Fails if the interface or the namespace is gone: so is the link then.
            _ = bpf_link_detach(link.rawValue)
        }
    }

    package static func detach(pod: String, networkNamespace: borrowing Namespace) throws(DataPathError) {
        try Clsact.detachAll(in: networkNamespace)
        try detach(pod: pod)
    }
}
