import Glibc

/// Where the control groups of a process are.
package struct Cgroup: Sendable, Equatable {
    /// Directories by controller, from the root of the file system. On v2 there is one, under the name "".
    package let directories: [String: String]

    /// On a hybrid machine, which has its controllers on v1, the directory on v2. It is what programs match that tell
    /// containers by their v2 cgroup.
    package let besides: String?

    package var isUnified: Bool { directories[""] != nil && directories.count == 1 }

    package init(directories: [String: String], besides: String? = nil) {
        self.directories = directories
        self.besides = besides
    }

    /// Resolves `/proc/PID/cgroup` against the cgroup mounts that this process sees.
    package init(of pid: pid_t) throws(SystemError) {
        let mounts = try MountTable(of: getpid()).mounts
        self.init(membership: try Files.readText("/proc/\(pid)/cgroup"), mounts: mounts)
    }

    /// `hierarchy:controllers:path` a line; hierarchy 0 is v2 (cgroups(7)).
    init(membership: String, mounts: [MountTable.Mount]) {
        var directories: [String: String] = [:]
        var unified: String?
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0" {
                if let mount = mounts.last(where: { $0.fileSystem == "cgroup2" }) {
                    unified = Self.directory(of: String(fields[2]), in: mount)
                }
                continue
            }
            let controllers = fields[1].split(separator: ",")
            let mount = mounts.last { mount in
                mount.fileSystem == "cgroup" && Self.names(mount).contains { controllers.contains(Substring($0)) }
            }
            guard let mount else { continue }
            for controller in controllers {
                directories[String(controller)] = Self.directory(of: String(fields[2]), in: mount)
            }
        }
        // On a hybrid machine the v2 hierarchy has no controllers; it counts only where it is alone.
        let isHybrid = !directories.isEmpty
        if !isHybrid, let unified { directories[""] = unified }
        self.init(directories: directories, besides: isHybrid ? unified : nil)
    }

    private static func names(_ mount: MountTable.Mount) -> [String] {
        // The mount point is named for its controllers: `cpu,cpuacct`, or `systemd` for `name=systemd`.
        let name = mount.point.split(separator: "/").last.map(String.init) ?? ""
        return name.split(separator: ",").flatMap { [String($0), "name=\($0)"] }
    }

    private static func directory(of path: String, in mount: MountTable.Mount) -> String {
        // In a cgroup namespace, or with a bind mount, the mount begins below the hierarchy's root.
        var below = path[...]
        if mount.root != "/" && path.hasPrefix(mount.root) { below = path.dropFirst(mount.root.count) }
        return below == "/" ? mount.point : mount.point + below
    }

    /// A directory that lists all processes: the v2 one, or any v1 controller's that every process is in.
    private var processDirectory: String? {
        directories[""] ?? directories["pids"] ?? directories["memory"] ?? directories.values.sorted().first
    }

    /// The processes in this cgroup and below. One that has been removed has none.
    /// - Throws: if they cannot be told.
    package func processes() throws(SystemError) -> [pid_t] {
        guard let processDirectory else {
            throw SystemError("find", "a control group that lists processes", code: ENOENT)
        }
        do throws(SystemError) {
            return try Self.processes(in: processDirectory) + Self.processes(below: processDirectory)
        } catch {
            if Self.isGone(error) { return [] }
            throw error
        }
    }

    private static func processes(in directory: String) throws(SystemError) -> [pid_t] {
        try Files.readText("\(directory)/cgroup.procs").split(separator: "\n").compactMap { pid_t($0) }
    }

    private static func processes(below directory: String) throws(SystemError) -> [pid_t] {
        var pids: [pid_t] = []
        for name in try Files.names(in: directory) {
            let group = "\(directory)/\(name)"
            var status = stat()
            guard stat(group, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
            do throws(SystemError) {
                pids += try processes(in: group) + processes(below: group)
            } catch {
                // EOPNOTSUPP: a threaded group of v2, whose processes the kernel lists in the domain above it.
                if !isGone(error) && error.code != EOPNOTSUPP { throw error }
            }
        }
        return pids
    }

    /// ENODEV is what an open file of a removed group says.
    private static func isGone(_ error: SystemError) -> Bool { error.code == ENOENT || error.code == ENODEV }
}
