import Glibc
import Linux

/// Where a container's images and CRIU's logs are. Only root may look: images hold the memory of the processes.
package struct Snapshot: Sendable {
    package let directory: String

    package static let dumpLog = "dump.log"
    package static let restoreLog = "restore.log"

    package init(directory: String) {
        self.directory = directory
    }

    package var images: String { "\(directory)/images" }

    func makeDirectories() throws(SystemError) {
        try Files.makeDirectories(directory, mode: 0o700)
        try retrying("chmod", directory) { chmod(directory, 0o700) }
        try Files.removeTree(images)
        try Files.makeDirectories(images, mode: 0o700)
    }

    struct Directories: ~Copyable {
        let images: Descriptor
        let work: Descriptor
    }

    func open() throws(CheckpointError) -> Directories {
        do {
            return Directories(
                images: try Descriptor.open(images, O_RDONLY | O_DIRECTORY),
                work: try Descriptor.open(directory, O_RDONLY | O_DIRECTORY))
        } catch {
            throw .system(error)
        }
    }

    /// Bytes on disk.
    package var size: UInt64 { Files.diskUsage(images) }

    package func discardImages() {
        try? Files.removeTree(images)
    }

    /// Removes images and logs.
    package func remove() throws(SystemError) {
        try Files.removeTree(directory)
    }

    /// The last lines of one of CRIU's logs, for a person to read.
    package func logTail(_ name: String, lines: Int = 12) -> String {
        let text = (try? Files.readText("\(directory)/\(name)")) ?? ""
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}
