import CLinux
import Glibc

/// How many descriptors this process may have open (RLIMIT_NOFILE).
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one. Children that `Command` starts get the old limit: what a container finds
    /// must not depend on it.
    ///
    /// - Returns: the limit from now on.
    @discardableResult
    package static func raise() -> UInt {
        UInt(zp_raise_descriptor_limit())
    }
}
