import CLinux
import Glibc

extension SystemError {
    package static let noSuchFile = ENOENT
}

extension Descriptor {
    /// memfd_create(2), close-on-exec: a file that has no name and ends with its last descriptor.
    package static func memoryFile(_ name: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retrying("memfd_create") { memfd_create(name, UInt32(MFD_CLOEXEC)) })
    }

    /// lseek(2) to the beginning.
    package func rewind() throws(SystemError) {
        try retrying("lseek", "descriptor \(rawValue)") { lseek(rawValue, 0, SEEK_SET) }
    }

    /// fstat(2).
    package func status() throws(SystemError) -> stat {
        var status = stat()
        try retrying("fstat", "descriptor \(rawValue)") { fstat(rawValue, &status) }
        return status
    }

    /// fchown(2).
    package func changeOwner(user: uid_t, group: gid_t) throws(SystemError) {
        try retrying("fchown", "descriptor \(rawValue)") { fchown(rawValue, user, group) }
    }
}
