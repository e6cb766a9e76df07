import Glibc
import Linux

/// Images that a reboot has made useless: what they need of the kernel (namespaces, mounts) is gone, containerd starts the
/// containers anew under other ids, and nobody else would ever look at them. Those of failed restores are for people, who
/// cannot read them any more if they are encrypted.
package struct FormerBoot {
    /// Where the images are: a directory for each namespace, and `failed`, which is for people.
    private let snapshots: String
    /// As the kernel calls the present boot.
    private let bootID: String

    package init(snapshots: String, bootID: String? = nil) throws(SystemError) {
        self.snapshots = snapshots
        if let bootID {
            self.bootID = bootID
        } else {
            self.bootID = try Files.readText("/proc/sys/kernel/random/boot_id")
        }
    }

    private var mark: String { "\(snapshots)/boot-id" }

    /// Removes them, once a boot. Where nothing tells of which boot they are, they stay.
    /// - Returns: the containers whose images are gone, as `namespace/id`.
    package func clean() throws(SystemError) -> [String] {
        try Files.makeDirectories(snapshots, mode: 0o700)
        let known = try? Files.readText(mark)
        if known == bootID { return [] }
        let lock = try FileLock.acquire(directory: snapshots)
        defer { FileLock.release(lock) }
        // Another shim was quicker: its containers may sleep already.
        if (try? Files.readText(mark)) == bootID { return [] }
        var gone: [String] = []
        if known != nil {
            for namespace in try Files.names(in: snapshots).sorted() {
                let directory = "\(snapshots)/\(namespace)"
                for container in try names(in: directory)
                where namespace != "failed" || (try? DirectoryKey(of: "\(directory)/\(container)/images")) != nil {
                    try Files.removeTree("\(directory)/\(container)")
                    gone.append("\(namespace)/\(container)")
                }
            }
        }
        try Files.replaceDurably(mark, with: Array(bootID.utf8))
        return gone
    }

    private func names(in directory: String) throws(SystemError) -> [String] {
        do throws(SystemError) {
            return try Files.names(in: directory).sorted()
        } catch {
            // A file, such as that of the boot, or what a loss of power has left of a new one.
            if error.code == ENOTDIR { return [] }
            throw error
        }
    }
}
