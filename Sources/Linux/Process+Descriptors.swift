import CLinux
import Glibc

extension Process {
    /// A process by a pidfd, of which descriptors are copied.
    package struct DescriptorTable: ~Copyable {
        private let pid: pid_t
        private let process: Descriptor

        /// pidfd_open(2). ESRCH: it has ended.
        package init(of pid: pid_t) throws(SystemError) {
            self.pid = pid
            process = Descriptor(owning: try checking("pidfd_open", "\(pid)", zp_pidfd_open(pid)))
        }

        /// A descriptor of our own for what the process has open under this number (pidfd_getfd(2), Linux 5.6),
        /// close-on-exec. EBADF: it has closed it.
        package func copy(_ number: Int32) throws(SystemError) -> Descriptor {
            Descriptor(
                owning: try checking(
                    "pidfd_getfd", "\(pid), descriptor \(number)", zp_pidfd_getfd(process.rawValue, number)))
        }
    }

    /// A pidfd of this process itself.
    package static func ownHandle() throws(SystemError) -> Descriptor {
        Descriptor(owning: try checking("pidfd_open", "this process", zp_pidfd_open(getpid())))
    }
}
