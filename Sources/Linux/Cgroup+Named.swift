import Glibc

extension Cgroup {
    /// The cgroup of a name below the root of each hierarchy that has it: `/system.slice/shims`.
    /// - Throws: ENOENT if none has.
    package init(named name: String) throws(SystemError) {
        try self.init(named: name, mounts: try MountTable(of: getpid()).mounts)
    }

    init(named name: String, mounts: [MountTable.Mount]) throws(SystemError) {
        let path = name.hasPrefix("/") ? name : "/\(name)"
        // On a hybrid machine the v2 hierarchy beside those of v1 is systemd's own.
        let isUnified = !mounts.contains { $0.fileSystem == "cgroup" }
        var directories: [String: String] = [:]
        for mount in mounts where mount.fileSystem == (isUnified ? "cgroup2" : "cgroup") {
            let directory = mount.point + path
            guard Files.exists("\(directory)/cgroup.procs") else { continue }
            directories[isUnified ? "" : mount.point.split(separator: "/").last.map(String.init) ?? ""] = directory
        }
        if directories.isEmpty { throw SystemError("find cgroup", name, code: ENOENT) }
        self.init(directories: directories)
    }

    /// Moves a process into it.
    package func add(_ pid: pid_t) throws(SystemError) {
        for directory in directories.values.sorted() { try Files.write("\(pid)", to: "\(directory)/cgroup.procs") }
    }
}
