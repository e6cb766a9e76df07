import CLinux
import Glibc

/// The session keyring of a container (keyrings(7)), kept while no process has it. runc makes one for each container,
/// named `_ses.ID`, and joins it by that name again for each process that it adds.
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
    package init(named name: String) throws(SystemError) {
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
