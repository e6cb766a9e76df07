import Glibc

/// Which file there is at a path, in which state. Another one, or one that was written, has another stamp.
package struct FileStamp: Equatable, Sendable {
    private let device, inode: UInt64
    private let seconds, nanoseconds: Int

    /// nil: there is none.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        (seconds, nanoseconds) = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
    }
}
