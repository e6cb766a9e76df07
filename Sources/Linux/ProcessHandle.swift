import CLinux
import Glibc

/// A process by descriptor: its pid may be another's by the time that it is signalled, this cannot.
package final class ProcessHandle: Sendable {
    private let descriptor: Descriptor

    package init(_ pid: pid_t) throws(SystemError) {
        let number = zp_pidfd_open(pid)
        if number < 0 { throw SystemError("pidfd_open", "\(pid)", code: -number) }
        descriptor = Descriptor(owning: number)
    }

    /// SIGKILL. One that has ended already is as wished.
    package func kill() {
        _ = zp_pidfd_send_signal(descriptor.rawValue, SIGKILL)
    }
}
