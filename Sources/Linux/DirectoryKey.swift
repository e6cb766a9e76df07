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

    /// Nil if the directory is not encrypted, or not there.
    package init?(of directory: String) throws(SystemError) {
        let file: Descriptor
        do throws(SystemError) {
            file = try Descriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        } catch {
            // Others may be removing it at the same time.
            if error.code == SystemError.noSuchFile { return nil }
            throw error
        }
        var identifier = [UInt8](repeating: 0, count: Int(ZP_KEY_IDENTIFIER_SIZE))
        let result = zp_encryption_key(file.rawValue, &identifier)
        if [-ENODATA, -ENOTTY, -EOPNOTSUPP].contains(result) { return nil }
        _ = try checking("ioctl(FS_IOC_GET_ENCRYPTION_POLICY_EX)", directory, result)
        self.identifier = identifier
    }

    /// Has a thread ask the kernel to forget it, when the directory has been removed. Where a process still has a file of it
    /// open, the kernel writes the whole file system to the disk first.
    ///
    /// - Parameter place: what is on the same file system.
    package func forget(at place: String) throws(SystemError) {
        let file = SharedDescriptor(try Descriptor.open(place, O_RDONLY | O_DIRECTORY))
        let identifier = identifier
        try Thread.start("forget key") { _ = zp_forget_key(file.descriptor.rawValue, identifier) }
    }
}
