import CLinux
import Glibc

/// The key by which a file system encrypts a directory (fscrypt: ext4, f2fs). It is in the kernel's memory alone: after a
/// reboot nobody can read what is in the directory, and it can only be removed.
package struct DirectoryKey {
    /// What is left of it outside of the kernel: by what name that knows it.
    private let identifier: [UInt8]

    /// Where there can be none.
    package static let remedy =
        "'tune2fs -O encrypt DEVICE' lets ext4 encrypt; for other file systems docs/security.md has a line of /etc/crypttab"

    /// Has an empty directory encrypted from now on, with a key of its own.
    package static func make(for directory: String) throws(SystemError) {
        let file = try Descriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var step: UnsafePointer<CChar>?
        let result = zp_encrypt_directory(file.rawValue, &step)
        _ = try checking(step.map { String(cString: $0) } ?? "encrypt", directory, result)
    }

    /// Nil if the directory is not encrypted.
    package init?(of directory: String) {
        guard let file = try? Descriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { return nil }
        var identifier = [UInt8](repeating: 0, count: Int(ZP_KEY_IDENTIFIER_SIZE))
        guard zp_encryption_key(file.rawValue, &identifier) == 0 else { return nil }
        self.identifier = identifier
    }

    /// Has the kernel forget it, when the directory has been removed: before, the kernel would write the whole file system to
    /// the disk first. One that it does not know is no error.
    ///
    /// - Parameter place: what is on the same file system.
    package func forget(at place: String) throws(SystemError) {
        let file = try Descriptor.open(place, O_RDONLY | O_DIRECTORY)
        let result = zp_forget_key(file.rawValue, identifier)
        if result != -ENOKEY { _ = try checking("ioctl(FS_IOC_REMOVE_ENCRYPTION_KEY)", place, result) }
    }
}
