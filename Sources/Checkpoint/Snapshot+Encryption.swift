import Linux

/// Images that nobody reads from the disk. Each sleep has a key of its own, which is forgotten with the images: so nothing
/// has to be made ahead for the node, and what a disk still has of images that are removed is of no use.
extension Snapshot {
    /// Before anything is in the directory of images.
    func encryptIfWanted() throws(CheckpointError) {
        guard rules?.areEncrypted == true else { return }
        do throws(SystemError) { try DirectoryKey.make(for: images) } catch { throw .notEncrypted(error) }
    }

    /// - Parameter path: where the images are now.
    func removeImages(_ path: String) throws(SystemError) {
        let key = try DirectoryKey(of: path)
        try Files.removeTree(path)
        // A key that stays is a kilobyte of the kernel's, until a reboot.
        try? key?.forget(at: directory)
    }
}
