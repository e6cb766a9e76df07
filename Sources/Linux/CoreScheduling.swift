import CLinux
import Glibc

/// Core scheduling (prctl(2), PR_SCHED_CORE; Linux 5.14): processes of different cookies never share a core's threads.
package enum CoreScheduling {
    private static let option: Int32 = 62
    private static let create: UInt = 1
    private static let processGroup: UInt = 2

    /// Gives this process's group a cookie of its own, which children inherit.
    /// - Throws: ENODEV on a machine without threads that share a core, EINVAL on a kernel without the feature.
    package static func separate() throws(SystemError) {
        try checking("prctl(PR_SCHED_CORE)", "", zp_prctl4(option, create, 0, processGroup))
    }
}
