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

    /// Blocks until the process has ended, or for so many milliseconds.
    package func waitForEnd(atMost milliseconds: Int32) {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = Glibc.poll(&poll, 1, milliseconds)
    }

    /// SIGKILL. One that has ended already is as wished.
    package func kill() {
        _ = zp_pidfd_send_signal(descriptor.rawValue, SIGKILL)
    }
}
