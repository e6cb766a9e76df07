import CLinux
import Glibc
import Linux

/// Conditions on a container's user namespace for its processes to be made inside of it again. The namespaces that runc
/// makes for Kubernetes meet all of them.
enum UserNamespaceRules {
    /// - Parameter pid: a process in it.
    static func require(of pid: pid_t, _ kept: KeptContainer) throws(CheckpointError) {
        guard let users = kept.users else { return }
        func text(_ name: String) -> String { (try? Files.readText("/proc/\(pid)/\(name)")) ?? "" }
        if let loss = loss(users: text("uid_map"), groups: text("gid_map"), setgroups: text("setgroups")) {
            throw .lossy(reason: loss)
        }
        let isOwner: Bool
        do throws(SystemError) {
            isOwner = try owner(of: kept.mount) == users.descriptor.status().st_ino
        } catch {
            throw .system(error)
        }
        if !isOwner { throw .lossy(reason: "its mounts do not belong to its user namespace") }
    }

    /// What could not be given back, from the files of /proc/PID; nil if all can.
    static func loss(users: String, groups: String, setgroups: String) -> String? {
        if !mapsRoot(users) || !mapsRoot(groups) { return "no user 0 or no group 0 is mapped in its user namespace" }
        // CRIU gives each process its groups.
        return setgroups == "deny\n" ? "its user namespace denies setgroups(2)" : nil
    }

    /// Restored processes begin as root. A line is the first id inside, the first outside, and how many.
    private static func mapsRoot(_ map: String) -> Bool {
        map.split(separator: "\n").contains { $0.split(separator: " ").first == "0" }
    }

    /// The inode of the user namespace that another one belongs to.
    private static func owner(of namespace: borrowing Namespace) throws(SystemError) -> ino_t {
        // NS_GET_USERNS of <linux/nsfs.h>.
        let number = zp_ioctl(namespace.descriptor.rawValue, 0xb701, nil)
        return try Descriptor(owning: try checking("ioctl(NS_GET_USERNS)", "a namespace", number)).status().st_ino
    }
}
