import Glibc
import Linux

/// On whose account the criu of a dump works: its processor time is the container's, and so is the limit of it. (That of a
/// restore is in the container's cgroups altogether.)
///
/// On v1 it is in the container's own groups of these controllers. A group of v2 has all controllers, and lists what is in
/// it as the container's processes, to which criu does not belong. So it gets a group beside that, in the pod's, with the same
/// part of the processors.
package struct DumpAccount: Sendable {
    /// Open `cgroup.procs` files of where criu belongs.
    private let processes: [SharedDescriptor]
    /// A directory that is there for this dump alone.
    private let made: String?

    /// What criu itself takes of the memory that a pod may have, where that is counted as well: less than 20 MB. Its files
    /// can be taken back.
    private static let memory: UInt64 = 64 << 20
    private static let copied = ["cpu.max", "cpu.weight"]

    /// - Throws: if there is no such place, or no room in it. The dump can be made on the account of the shim.
    package init(of cgroup: Cgroup, container: String) throws(SystemError) {
        guard cgroup.isUnified else {
            processes = try Self.own(of: cgroup).openProcesses()
            made = nil
            return
        }
        guard let place = Self.place(beside: cgroup, container), let directory = cgroup.directories[""] else {
            throw SystemError("find", "the control group of \(container)", code: ENOENT)
        }
        // Want of memory in the pod's group would end processes of the pod.
        if cgroup.memoryLeftByParents < Self.memory {
            throw SystemError("find room for criu", "above \(directory)", code: ENOMEM)
        }
        if mkdir(place, 0o755) != 0 && errno != EEXIST { throw .last("mkdir", place) }
        do throws(SystemError) {
            // A file that is not there limits nothing.
            for file in Self.copied where Files.exists("\(directory)/\(file)") {
                try Files.write(try Files.readText("\(directory)/\(file)"), to: "\(place)/\(file)")
            }
            // Else no process may be in it.
            if try Files.readText("\(place)/cgroup.type") != "domain\n" {
                throw SystemError("use", place, code: EOPNOTSUPP)
            }
            processes = try Cgroup(directories: ["": place]).openProcesses()
        } catch {
            rmdir(place)
            throw error
        }
        made = place
    }

    /// Puts criu there, which waits for all processors (10 to 15 ms). The dump does not wait for that: a small one is done
    /// before, and how many there may be is bounded. Who has ended meanwhile is nowhere any more.
    func take(_ criu: pid_t) {
        for file in processes { _ = try? file.descriptor.write(Array("\(criu)".utf8)) }
    }

    /// Once criu has ended.
    func end() { if let made { rmdir(made) } }

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

    /// Who collects the numbers of a node's containers takes a directory for a container if it has all of an id in its name.
    private static func place(beside cgroup: Cgroup, _ container: String) -> String? {
        guard cgroup.isUnified, let directory = cgroup.directories[""], let end = directory.lastIndex(of: "/") else {
            return nil
        }
        return "\(directory[..<end])/zeropod-dump-\(container.prefix(12))"
    }
}
