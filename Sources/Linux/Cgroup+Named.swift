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

    /// Its `cgroup.procs` files, open for writing: a child that writes "0" into each is in it.
    package func openProcesses() throws(SystemError) -> [SharedDescriptor] {
        var files: [SharedDescriptor] = []
        // Several controllers may be mounted together.
        for directory in Set(directories.values).sorted() {
            files.append(SharedDescriptor(try Descriptor.open("\(directory)/cgroup.procs", O_WRONLY)))
        }
        // It limits nothing. A container created by other means may not be in one.
        if let besides, let file = try? Descriptor.open("\(besides)/cgroup.procs", O_WRONLY) {
            files.append(SharedDescriptor(file))
        }
        return files
    }
}
