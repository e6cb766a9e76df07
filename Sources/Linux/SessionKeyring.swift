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
        static let link: Int32 = 8
        static let unlink: Int32 = 9
        static let session = -3
        static let process = -2
    }

    /// Who joins a keyring leaves the one that it has, so a thread does it that is gone after that. It links the keyring
    /// into the one of this process, which all threads share that are started after it was made: `prepare`.
    ///
    /// - Parameter names: the first of these that there is counts.
    /// - Returns: nil if there is none.
    package static func find(_ names: [String]) throws(SystemError) -> SessionKeyring? {
        // "0a1b2c3d I--Q---   4 perm 3f1b0000     0     0 keyring   _ses.ID: empty", of /proc/keys.
        let lines = try Files.readText("/proc/keys").split(separator: "\n").map { $0.split(separator: " ") }
        let found = lines.filter { $0.count > 8 && $0[7] == "keyring" }.map {
            ($0[8].dropLast(), Int($0[0], radix: 16))
        }
        for name in names {
            guard let number = found.first(where: { $0.0 == name })?.1 else { continue }
            let keyring = try SessionKeyring(named: name)
            // Who may not search it by its name gets a new one.
            if keyring.number == number { return keyring }
        }
        return nil
    }

    private init(named name: String) throws(SystemError) {
        let outcome = try Promise<Int>()
        let thread = try JoinedThread("keyring") {
            var number = zp_join_session_keyring(name)
            if number > 0 {
                let linked = zp_keyctl(Call.link, number, Call.process)
                if linked < 0 { number = linked }
            }
            outcome.keep(number)
        }
        let number = outcome.wait()
        thread.join()
        if number < 0 { throw SystemError("keyctl(session keyring)", name, code: Int32(-number)) }
        self.name = name
        self.number = number
    }

    deinit { _ = zp_keyctl(Call.unlink, number, Call.process) }

    /// The serial number of the one that this process has.
    package static var own: Int { zp_keyctl(Call.getID, Call.session, 0) }

    /// Makes the keyring of this process, on its first thread.
    package static func prepare() { _ = zp_keyctl(Call.getID, Call.process, 1) }
}
