import Glibc
import Linux

/// What stays of a container while its processes are gone: its namespaces, cgroups and session keyring, held open. What
/// the processes had open themselves is in `KeptDescriptors`.
///
/// The mount, IPC, UTS, network, cgroup and user namespaces outlive the processes, so a restore joins them as they were
/// instead of building them again. The pid namespace cannot be kept: it dies with its init, and a new one is made with
/// the same pids inside.
package final class KeptContainer: Sendable {
    let mount: Namespace
    let ipc: Namespace
    let uts: Namespace
    let network: Namespace
    let cgroup: Namespace
    /// nil: its users are the node's.
    package let users: SharedDescriptor?
    let cgroups: Cgroup
    /// nil: the processes have that of the shim.
    let keyring: SessionKeyring?
    /// Where mounts are, as the container sees them.
    let mounts: [MountTable.Mount]
    /// Keeps the cgroups in use. systemd removes a scope as soon as no process is in it, and would not find it again.
    package let placeholder: Placeholder?

    /// - Parameters:
    ///   - pid: the running init of the container.
    ///   - keyrings: how its session keyring may be called, if it has one of its own.
    ///   - children: if its cgroups are removed when nobody is in them, who starts the process that is.
    package init(
        of pid: pid_t, keyrings: [String] = [], inhabitedBy children: Children? = nil
    ) throws(SystemError) {
        mount = try Namespace(.mount, of: pid)
        ipc = try Namespace(.ipc, of: pid)
        uts = try Namespace(.uts, of: pid)
        network = try Namespace(.network, of: pid)
        cgroup = try Namespace(.cgroup, of: pid)
        cgroups = try Cgroup(of: pid)
        let user = try Namespace(.user, of: pid)
        users = try user.inode == Namespace.own(.user).inode ? nil : SharedDescriptor(user.descriptor.duplicate())
        keyring = try SessionKeyring.find(keyrings, in: users)
        mounts = try MountTable(of: pid).mounts
        placeholder =
            if let children { try Placeholder(children, in: try cgroups.openProcesses()) } else { nil }
    }

    /// The container's own, as long as there are any.
    var processes: [pid_t] {
        get throws(SystemError) { try cgroups.processes().filter { $0 != placeholder?.pid } }
    }

    /// Namespaces that criu enters before it starts, so that it takes them for its own and leaves them alone. In the user
    /// namespace it could do nothing for the container: there the processes are made (image/criu-changes/users.c).
    var entered: [Int32] {
        [
            ipc.descriptor.rawValue, uts.descriptor.rawValue, network.descriptor.rawValue,
            cgroup.descriptor.rawValue,
        ]
    }

    /// Mounts that lie on the container's procfs, which must be put onto the new one: parts made read-only, and
    /// parts covered by something else.
    var procfsReadOnly: [String] { onProcfs.filter { $0.fileSystem == "proc" }.map(\.point) }
    var procfsMasked: [String] { onProcfs.filter { $0.fileSystem != "proc" }.map(\.point) }
    /// What its procfs shows, and to whom (proc(5)), keys and values by turns: a new one has to be told.
    var procfsOptions: [String] {
        ["source", procfs?.source ?? "proc"]
            + (procfs?.fileSystemOptions ?? "").split(separator: ",").flatMap { option -> [String] in
                let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
                return parts.count == 2 && ["hidepid", "gid", "subset"].contains(parts[0]) ? parts : []
            }
    }
    /// MOUNT_ATTR_* of <linux/mount.h>.
    var procfsAttributes: UInt64 {
        let numbers: [Substring: UInt64] = ["ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8]
        return (procfs?.options ?? "").split(separator: ",").reduce(0) { $0 | (numbers[$1] ?? 0) }
    }
    private var procfs: MountTable.Mount? { mounts.first { $0.point == "/proc" } }
    private var onProcfs: [MountTable.Mount] { mounts.filter { $0.point.hasPrefix("/proc/") } }
}
