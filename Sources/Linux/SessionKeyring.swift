import CLinux
import Glibc

/// The session keyring of a container (keyrings(7)), kept while no process has it. runc makes one for each container,
/// named `_ses.ID`, and crun one named `ID`; they join it by that name again for each process that they add.
package final class SessionKeyring: Sendable {
    package let name: String
    /// Its serial number.
    package let number: Int

    /// Numbers of keyctl(2), in <linux/keyctl.h>.
    private enum Call {
        static let getID: Int32 = 0
        static let setPermissions: Int32 = 5
        static let link: Int32 = 8
        static let unlink: Int32 = 9
        static let session = -3
        static let process = -2
    }

    /// - Parameters:
    ///   - names: the first of these that there is counts.
    ///   - users: the container's user namespace, if it has one of its own.
    /// - Returns: nil if there is none.
    package static func find(
        _ names: [String], in users: SharedDescriptor? = nil
    ) throws(SystemError) -> SessionKeyring? {
        if let users { return try find(names, inside: users.descriptor) }
        // "0a1b2c3d I--Q---   4 perm 3f1b0000     0     0 keyring   _ses.ID: empty", of /proc/keys.
        let lines = try Files.readText("/proc/keys").split(separator: "\n").map { $0.split(separator: " ") }
        for name in names {
            guard let line = lines.first(where: { $0.count > 8 && $0[7] == "keyring" && $0[8].dropLast() == name }),
                let number = Int(line[0], radix: 16), let permissions = Int(line[4], radix: 16)
            else { continue }
            return try SessionKeyring(named: name, number, permissions)
        }
        return nil
    }

    /// /proc/keys shows none of another user. Those of crun are not found so, and their containers are frozen.
    private static func find(
        _ names: [String], inside users: borrowing Descriptor
    ) throws(SystemError) -> SessionKeyring? {
        let own = zp_keyctl(Call.getID, Call.process, 1)
        // Whoever links it is another process of this one's user. Root of any container is that user too, and must not clear
        // what is kept here, so this holds for the moment alone.
        _ = zp_keyctl(Call.setPermissions, own, writtenByOwner)
        defer { _ = zp_keyctl(Call.setPermissions, own, viewedByOwner) }
        for name in names {
            let number = zp_hold_keyring(users.rawValue, name, own)
            if number < 0 { throw SystemError("keyctl(session keyring)", name, code: Int32(-number)) }
            if number > 0 { return SessionKeyring(held: number, named: name) }
        }
        return nil
    }

    private init(held number: Int, named name: String) { (self.number, self.name) = (number, name) }

    /// Links it into the keyring of this process. From then on that has all rights to it.
    private init(named name: String, _ number: Int, _ permissions: Int) throws(SystemError) {
        let result = zp_keyctl(Call.link, number, Call.process)
        if result < 0 { throw SystemError("keyctl(link)", name, code: Int32(-result)) }
        self.name = name
        self.number = number
        // Who may not search it by its name, as crun leaves it, would get a new one of the same name.
        if permissions & Self.searchByOwner == 0 {
            _ = zp_keyctl(Call.setPermissions, number, permissions | Self.searchByOwner)
        }
    }

    deinit { _ = zp_keyctl(Call.unlink, number, Call.process) }

    /// KEY_USR_SEARCH of the kernel's include/linux/key.h.
    private static let searchByOwner = 0x0008_0000

    /// KEY_POS_ALL and KEY_USR_VIEW: what the kernel gives a process's keyring.
    private static let viewedByOwner = 0x3f01_0000
    /// The same and KEY_USR_WRITE.
    private static let writtenByOwner = 0x3f05_0000

    /// The serial number of the one that this process has.
    package static var own: Int { zp_keyctl(Call.getID, Call.session, 0) }

    /// Makes the keyring of this process, on its first thread: those that are started later share it then.
    package static func prepare() { _ = zp_keyctl(Call.getID, Call.process, 1) }
}
