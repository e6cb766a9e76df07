import CLinux
import Glibc

/// userfaultfd(2): page faults that user space answers.
package enum UserFault {
    package static func open(flags: Int32 = O_CLOEXEC | O_NONBLOCK) throws(SystemError) -> Descriptor {
        Descriptor(owning: try checking("userfaultfd", "", zp_userfaultfd(flags)))
    }
}
