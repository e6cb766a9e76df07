import Glibc
import Linux
import Synchronization

/// On whose account the criu of a dump works: its processor time is the container's, and so is the limit of it. (That of a
/// restore is in the container's cgroups altogether.)
///
/// On v1 it is in the container's own groups of these controllers. A group of v2 has all controllers, and lists what is in
/// it as the container's processes, to which criu does not belong. So it gets a group beside that, in the pod's, with the same
/// part of the processors.
///
/// mkdir, a move and rmdir in cgroups each wait 10 to 15 ms for moves of other processes, so a thread does them. The
/// dump does not wait for the thread: a small dump is done before, and how many dumps there may be is bounded.
package final class DumpAccount: Sendable {
    private enum Place {
        /// Open `cgroup.procs` files of groups that are there.
        case own([SharedDescriptor])
        /// A group for this dump alone, and the one whose limits it takes.
        case beside(String, limits: String)
    }
    private let place: Place
    private enum State {
        case planned, moving, moved
        /// criu has ended.
        case over
    }
    private let state = Mutex(State.planned)

    /// What criu itself takes of the memory that a pod may have, where that is counted as well: less than 20 MB. Its files
    /// can be taken back, unless they are memory themselves.
    private static let memory: UInt64 = 64 << 20
    private static let copied = ["cpu.max", "cpu.weight"]
    /// TMPFS_MAGIC and RAMFS_MAGIC of <linux/magic.h>.
    private static let inMemory: Set<UInt64> = [0x0102_1994, 0x8584_58f6]

    /// - Parameter images: the directory that is written to.
    /// - Throws: if there is no such place, or no room in it. The dump can be made on the account of the shim.
    package init(of cgroup: Cgroup, container: String, images: String) throws(SystemError) {
        guard cgroup.isUnified else {
            place = .own(try Self.own(of: cgroup).openProcesses())
            return
        }
        guard let path = Self.place(beside: cgroup, container), let directory = cgroup.directories[""] else {
            throw SystemError("find", "the control group of \(container)", code: ENOENT)
        }
        // Want of memory in the pod's group would end processes of the pod.
        if cgroup.memoryLeftByParents < Self.memory {
            throw SystemError("find room for criu", "above \(directory)", code: ENOMEM)
        }
        // It may be made only later.
        var there = images[...]
        while !Files.exists(String(there)), let end = there.lastIndex(of: "/") { there = there[..<end] }
        if let magic = Files.fileSystemMagic(at: String(there)), Self.inMemory.contains(magic) {
            throw SystemError("find room for images in memory", images, code: ENOMEM)
        }
        // Else no process may be in a group beside it.
        let parent = path[..<(path.lastIndex(of: "/") ?? path.endIndex)]
        if Files.exists("\(parent)/cgroup.type"), try Files.readText("\(parent)/cgroup.type") != "domain\n" {
            throw SystemError("use", path, code: EOPNOTSUPP)
        }
        place = .beside(path, limits: directory)
    }

    /// Puts criu there, unless it has ended before. What cannot be done leaves it on the account of the shim.
    func take(_ criu: pid_t) {
        state.withLock { $0 = .moving }
        let isStarted: Void? = try? Thread.start("account") { [self] in
            try? move(criu)
            let isOver = state.withLock { state in
                if state == .moving { state = .moved }
                return state == .over
            }
            if isOver { remove() }
        }
        if isStarted == nil { state.withLock { $0 = .over } }
    }

    private func move(_ criu: pid_t) throws(SystemError) {
        let files: [SharedDescriptor]
        switch place {
        case .own(let open): files = open
        case .beside(let path, let directory):
            if mkdir(path, 0o755) != 0 && errno != EEXIST { throw .last("mkdir", path) }
            // A file that is not there limits nothing.
            for file in Self.copied where Files.exists("\(directory)/\(file)") {
                try Files.write(try Files.readText("\(directory)/\(file)"), to: "\(path)/\(file)")
            }
            files = try Cgroup(directories: ["": path]).openProcesses()
        }
        for file in files where state.withLock({ $0 == .moving }) {
            _ = try file.descriptor.write(Array("\(criu)".utf8))
        }
    }

    /// Once criu has ended.
    func end() {
        let isThere = state.withLock { state in
            defer { state = .over }
            return state == .moved
        }
        if isThere, (try? Thread.start("account") { [self] in remove() }) == nil { remove() }
    }

    private func remove() { if case .beside(let path, _) = place { rmdir(path) } }

    /// The group of one whose shim has died in the middle.
    package static func left(beside cgroup: Cgroup, container: String) -> Cgroup? {
        place(beside: cgroup, container).flatMap { Files.exists($0) ? Cgroup(directories: ["": $0]) : nil }
    }

    /// Removes it once nobody is in it, and that of a dump whose criu had a child that was still ending.
    package static func removeLeft(beside cgroup: Cgroup, container: String) {
        if let place = place(beside: cgroup, container) { rmdir(place) }
    }

    /// The groups of v1 that account for processor time, where nothing else comes with them.
    private static func own(of cgroup: Cgroup) throws(SystemError) -> Cgroup {
        let own = cgroup.directories.filter { $0.key == "cpu" || $0.key == "cpuacct" }
        let others = cgroup.directories.filter { own[$0.key] == nil }
        if own.isEmpty || !Set(own.values).isDisjoint(with: others.values) {
            throw SystemError("find", "a control group of processor time alone", code: ENOENT)
        }
        return Cgroup(directories: own)
    }

    /// The kubelet's cAdvisor takes a directory whose name contains a container's id for that container; hence the
    /// hash.
    private static func place(beside cgroup: Cgroup, _ container: String) -> String? {
        guard cgroup.isUnified, let directory = cgroup.directories[""], let end = directory.lastIndex(of: "/") else {
            return nil
        }
        // FNV-1a.
        let hash = container.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "\(directory[..<end])/zeropod-dump-\(String(hash, radix: 16))"
    }
}
