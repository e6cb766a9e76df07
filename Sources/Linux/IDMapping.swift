import CLinux
import Glibc

/// Which ids of the node the owners of files become, for a container in a user namespace of its own. containerd gives
/// it among a mount's options (`uidmap=0:65536:65536`), which the kernel does not know.
struct IDMapping: Equatable {
    let users: String
    let groups: String

    /// Takes the mapping out of a mount's options; nil if there is none. Like containerd's own mounting, one of users
    /// alone or of groups alone is passed over.
    init?(takenFrom options: inout [String]) {
        func take(_ name: String) -> String? {
            let found = options.last { $0.hasPrefix("\(name)=") }
            options.removeAll { $0.hasPrefix("\(name)=") }
            // "inside:outside:count,…" becomes lines of uid_map(5).
            return found.map { option in
                String(option.dropFirst(name.count + 1).map { $0 == ":" ? " " : $0 == "," ? "\n" : $0 }) + "\n"
            }
        }
        guard let users = take("uidmap"), let groups = take("gidmap") else { return nil }
        (self.users, self.groups) = (users, groups)
    }

    /// A user namespace that maps so, with no process in it.
    func namespace() throws(SystemError) -> Descriptor {
        var step: UnsafePointer<CChar>?
        let number = zp_user_namespace(users, groups, &step)
        return Descriptor(owning: try checking(step.map { String(cString: $0) } ?? "clone", users, number))
    }

    /// Shows `source` once more at `target`, with the owners mapped. They may be the same.
    static func mount(
        _ source: String, at target: String, _ namespace: borrowing Descriptor, readOnly: Bool = false
    ) throws(SystemError) {
        var step: UnsafePointer<CChar>?
        let result = zp_mount_idmapped(source, target, namespace.rawValue, readOnly ? 1 : 0, &step)
        _ = try checking(step.map { String(cString: $0) } ?? "mount", target, result)
    }
}
