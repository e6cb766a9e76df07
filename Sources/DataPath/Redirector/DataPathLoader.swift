import CBPF
import CDataPath
import Glibc
import Linux

/// Makes the redirector of a pod. For a short-lived process: libbpf reads the kernel's type information here.
package enum DataPathLoader {
    package struct Report: Sendable, CustomStringConvertible {
        package let interfaces: [String]
        package let hook: TrafficHook
        package let tracker: Tracker.Status
        package let tasks: TaskIterator.Status

        package var description: String {
            "attached to \(interfaces.joined(separator: ", ")) by \(hook.rawValue); tracker: \(tracker); task iterator: \(tasks)"
        }
    }

    /// Loads the programs unless they are, attaches them to all interfaces of the namespace that do not have them yet,
    /// and registers the pod with the tracker. May be called again at any time, such as for a new interface.
    ///
    /// - Parameters:
    ///   - pod: A name for the pod on this node, for `Redirector` and `detach`: containerd's id of the sandbox.
    ///   - hook: Only for tests; nil takes the best that the kernel has.
    package static func attach(
        pod: String, networkNamespace: borrowing Namespace, hook: TrafficHook? = nil
    ) throws(DataPathError) -> Report {
        try requireFileSystem()
        let pins = PodPins(pod: pod)
        let inode = networkNamespace.inode
        let isNew = !isComplete(pins, inode)
        if isNew { try make(pins, pod, inode) }
        do {
            let tracker = Tracker.register(networkNamespace: inode, activityMap: pins.path(.activity))
            let tasks = TaskIterator.install()
            try attachSteering(pins, networkNamespace)
            let (interfaces, used) = try attachInterfaces(pins, networkNamespace, hook)
            return Report(interfaces: interfaces, hook: used, tracker: tracker, tasks: tasks)
        } catch {
            // A pod that was attached before this call stays attached.
            if isNew { try? Redirector.detach(pod: pod, networkNamespace: networkNamespace) }
            throw error
        }
    }

    /// systemd mounts it; on nodes without (or in containers that stand for nodes, as kind's) it is mounted here, for
    /// which no privileged pod has to be kept around.
    private static func requireFileSystem() throws(DataPathError) {
        // BPF_FS_MAGIC of <linux/magic.h>.
        if Files.fileSystemMagic(at: DataPath.fileSystem) == 0xcafe_4a11 { return }
        do throws(SystemError) {
            try Mounting.mount(
                type: "bpf", source: "bpf", target: DataPath.fileSystem,
                options: ["nosuid", "nodev", "noexec", "mode=700"])
        } catch {
            throw .notMounted(DataPath.fileSystem, error)
        }
    }

    private static func isComplete(_ pins: PodPins, _ inode: UInt64) -> Bool {
        // Another pod of the same name may have been here before, and its namespace is gone.
        guard let map = try? PinnedMap<UInt32, zp_pod>(pins.path(.pod)) else { return false }
        return map[0].map { UInt64($0.network_namespace) } == inode
    }

    /// Fills a directory aside and renames it: a crash leaves a whole set of pins or none.
    private static func make(_ pins: PodPins, _ pod: String, _ inode: UInt64) throws(DataPathError) {
        let object = try BPFObject(zp_redirector_object(), name: "redirector")
        BPFObject.allocateAheadIfNeeded(try object.map("activity"))
        try object.load()

        try Redirector.detach(pod: pod)
        try DataPath.locked { () throws(DataPathError) in try pin(object, pins, inode) }
    }

    private static func pin(
        _ object: borrowing BPFObject, _ pins: PodPins, _ inode: UInt64
    ) throws(DataPathError) {
        try system { () throws(SystemError) in
            try Files.makeDirectories("\(pins.unfinished)/links", mode: 0o700)
            try Files.makeDirectories("\(DataPath.root)/pods", mode: 0o700)
        }
        for map in PodPins.Map.allCases {
            try object.pin(map: map.rawValue, at: "\(pins.unfinished)/\(map.rawValue)")
        }
        for program in PodPins.Program.allCases {
            try object.pin(program: program.rawValue, at: "\(pins.unfinished)/\(program.rawValue)")
        }
        try system { () throws(SystemError) in
            let map = try PinnedMap<UInt32, zp_pod>("\(pins.unfinished)/\(PodPins.Map.pod.rawValue)")
            try map.set(0, to: zp_pod(network_namespace: UInt32(truncatingIfNeeded: inode), ignores: 0))
            let activity = try PinnedMap<UInt16, UInt64>("\(pins.unfinished)/\(PodPins.Map.activity.rawValue)")
            try activity.set(ZP_REFUSED_PORTS, to: 0)
            try retrying("rename", pins.directory) { rename(pins.unfinished, pins.directory) }
            try? Files.removeEmptyDirectory("\(DataPath.root)/unfinished")
        }
    }

    private static func attachSteering(
        _ pins: PodPins, _ namespace: borrowing Namespace
    ) throws(DataPathError) {
        if Files.exists(pins.steeringLink) { return }
        let program = try system { () throws(SystemError) in try TrafficPrograms.open(pins.path(.steer)) }
        let number = bpf_link_create(program.rawValue, namespace.descriptor.rawValue, BPF_SK_LOOKUP, nil)
        if number < 0 { throw .missing("sk_lookup programs", .last("bpf_link_create(sk_lookup)")) }
        let link = Descriptor(owning: number)
        try BPFObject.pin(link.rawValue, at: pins.steeringLink)
    }

    private static func attachInterfaces(
        _ pins: PodPins, _ namespace: borrowing Namespace, _ wanted: TrafficHook?
    ) throws(DataPathError) -> ([String], TrafficHook) {
        let programs = try system { () throws(SystemError) in try TrafficPrograms(pins) }
        var hook = wanted ?? .tcx
        var failure: DataPathError?
        let names = try system { () throws(SystemError) in
            try namespace.inside { () throws(SystemError) -> [String] in
                let interfaces = try Interface.all()
                do throws(DataPathError) {
                    for interface in interfaces {
                        if hook == .tcx, try !TCX.attach(programs, to: interface, pins) { hook = .clsact }
                        if hook == .clsact { try Clsact.attach(programs, to: interface) }
                    }
                } catch {
                    failure = error
                }
                return interfaces.map(\.name)
            }
        }
        if let failure { throw failure }
        return (names, hook)
    }
}
