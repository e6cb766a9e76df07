import CBPF
import CDataPath
import Glibc
import Linux
import Synchronization

/// Finds what processes have that CRIU would lose and /proc does not show (`bpf/tasks.bpf.c`). There is one for the node; it
/// is installed beside the tracker, and goes with it. Nothing runs until somebody reads it.
package enum TaskIterator {
    package enum Status: Sendable, CustomStringConvertible {
        case installed
        /// A checkpoint loses what the iterator would find.
        case unavailable(DataPathError)

        package var description: String {
            switch self {
            case .installed: "installed"
            case .unavailable(let error): "none (\(error))"
            }
        }
    }

    /// The number grows with each change of the program or of `zp_task`: what is pinned outlives an upgrade.
    static let path = "\(Tracker.directory)/tasks-1"

    /// Each continues a sentence that begins with the process.
    private static let words: [(zp_setting, String)] = [
        (ZP_LANDLOCK, "is restricted by landlock"),
        (ZP_THREAD_KEYRING, "has a keyring for one of its threads"),
        (ZP_PROCESS_KEYRING, "has a keyring for itself"),
        (ZP_THREAD_SESSION_KEYRING, "has a thread with a session keyring of its own"),
        (ZP_THREAD_NAMESPACE, "has a thread with a namespace of its own"),
        (ZP_CHILDREN_NAMESPACE, "makes its children in another namespace than its own"),
        (ZP_THREAD_DIRECTORY, "has a thread with a working directory of its own"),
        (ZP_THREAD_DESCRIPTORS, "has a thread with descriptors of its own"),
        (ZP_THREAD_CGROUPS, "has a thread in control groups of its own"),
        (ZP_LOCKS_MEMORY, "locks what memory it will get (mlockall)"),
        (ZP_SEMAPHORES, "changes System V semaphores when it ends (SEM_UNDO)"),
        (ZP_SECCOMP_LISTENER, "has system calls that another process answers (seccomp)"),
    ]

    /// The first setting found that a checkpoint of these processes would lose; they stand still. nil: there is none,
    /// or the iterator is not installed.
    package static func loss(of pids: [pid_t]) throws(SystemError) -> String? {
        let found: [UInt8]
        do throws(SystemError) {
            found = try Descriptor.open(path, O_RDONLY).readAll(limit: 64 << 20)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
        let size = MemoryLayout<zp_task>.size
        for start in stride(from: 0, to: found.count - size + 1, by: size) {
            let task = found[start..<start + size].withUnsafeBytes { $0.loadUnaligned(as: zp_task.self) }
            guard pids.contains(task.process) else { continue }
            return "process \(task.process) \(word(for: task.settings)), which cannot be given back"
        }
        return nil
    }

    private static func word(for settings: UInt32) -> String {
        for (setting, word) in words where settings & setting.rawValue != 0 { return word }
        return "has settings"
    }

    // MARK: Installing

    /// Installs it if it is not there. Short-lived processes only.
    static func install() -> Status {
        do {
            try DataPath.locked { () throws(DataPathError) in
                if Files.exists(path) { return }
                let object = try BPFObject(zp_tasks_object(), name: "tasks")
                try object.load()
                var word = try landlockWord(object)
                var key: UInt32 = 0
                let map = bpf_map__fd(try object.map("landlock"))
                try system { () throws(SystemError) in
                    try retrying("bpf_map_update_elem", "landlock") { bpf_map_update_elem(map, &key, &word, 0) }
                    try Files.makeDirectories(Tracker.directory, mode: 0o700)
                }
                let link = try attach("zeropod_tasks", object)
                defer { bpf_link__destroy(link) }
                try BPFObject.pin(bpf_link__fd(link), at: path)
            }
            return .installed
        } catch {
            return .unavailable(error)
        }
    }

    private static func attach(
        _ program: String, _ object: borrowing BPFObject
    ) throws(DataPathError) -> OpaquePointer {
        guard let link = bpf_program__attach_iter(try object.find(program), nil) else {
            throw .refused(.last("bpf_program__attach_iter", program), log: LibbpfLog.take())
        }
        return link
    }

    /// Where landlock keeps its domain, found by what changes for a thread that restricts itself: the kernel puts the parts
    /// of its security modules behind each other, and has no name for the place that is there on every kernel.
    /// - Returns: 0 if this kernel has no landlock.
    private static func landlockWord(_ object: borrowing BPFObject) throws(DataPathError) -> UInt32 {
        guard zp_landlock_is_there() else { return 0 }
        let link = try attach("zeropod_blob", object)
        defer { bpf_link__destroy(link) }
        let iterator = bpf_link__fd(link)
        let found = Mutex<Result<UInt32, SystemError>>(.success(0))
        try system { () throws(SystemError) in
            try JoinedThread("landlock") {
                let result = Result { () throws(SystemError) in try ownLandlockWord(iterator) }
                found.withLock { $0 = result }
            }.join()
            return ()
        }
        return try system { () throws(SystemError) in try found.withLock { $0 }.get() }
    }

    /// Restricts the calling thread.
    private static func ownLandlockWord(_ link: Int32) throws(SystemError) -> UInt32 {
        let before = try readBlob(link)
        let code = zp_landlock_restrict()
        if code < 0 { throw SystemError("landlock_restrict_self", code: -code) }
        let after = try readBlob(link)
        // Other modules may change their parts as well, but have something there before. Behind the credentials lies what
        // is somebody else's, so the first one counts.
        guard let word = before.indices.first(where: { before[$0] == 0 && after[$0] >= Self.firstKernelAddress }) else {
            throw SystemError("find", "landlock in the kernel's credentials", code: ENOENT)
        }
        return UInt32(word + 1)
    }

    /// Or below it: x86-64's with page tables of five levels (Documentation/arch/x86/x86_64/mm.rst). Four levels, and arm64,
    /// have theirs above.
    private static let firstKernelAddress: UInt64 = 0xff00_0000_0000_0000

    private static func readBlob(_ link: Int32) throws(SystemError) -> [UInt64] {
        let iterator = Descriptor(owning: try retrying("bpf_iter_create") { bpf_iter_create(link) })
        let bytes = try iterator.readAll()
        let count = Int(ZP_BLOB_WORDS)
        guard bytes.count == count * 8 else {
            throw SystemError("read", "the credentials of this thread", code: EIO)
        }
        return bytes.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }
}
