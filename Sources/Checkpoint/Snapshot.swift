import Glibc
import Linux

/// Where a container's images and CRIU's logs are. Only root may look: images hold the memory of the processes.
package struct Snapshot: Sendable {
    package let directory: String

    package static let dumpLog = "dump.log"
    package static let restoreLog = "restore.log"

    let rules: ImageRules?

    package init(directory: String, rules: ImageRules? = nil) {
        self.directory = directory
        self.rules = rules
    }

    package var images: String { "\(directory)/images" }
    /// The images that are being removed.
    private var old: String { "\(directory)/old" }

    /// The program that makes the images, to be used for them alone.
    package func hold(_ criu: String) throws(SystemError) -> HeldProgram {
        try makeDirectory()
        return try HeldProgram(criu, link: "\(directory)/criu")
    }

    private func makeDirectory() throws(SystemError) {
        try Files.makeDirectories(directory, mode: 0o700)
        try retrying("chmod", directory) { chmod(directory, 0o700) }
    }

    func makeDirectories() throws(SystemError) {
        try makeDirectory()
        try removeImages(images)
        try Files.makeDirectories(images, mode: 0o700)
        // What the last wake has left. To truncate a file takes longer than to make one, and would be a part of the next.
        try Files.remove("\(directory)/\(Self.restoreLog)")
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

    /// Bytes of the processes' memory in the images.
    package var memorySize: UInt64 {
        let pages = ((try? Files.names(in: images)) ?? []).filter { $0.hasPrefix("pages-") }
        return pages.reduce(0) { $0 + Files.diskUsage("\(images)/\($1)") }
    }

    package func discardImages() {
        try? removeImages(images)
        Reservation.remove(from: directory)
    }

    /// The same without waiting: to remove a gigabyte takes a good part of a second.
    package func discardImages(_ loop: EventLoop) {
        // The next checkpoint may begin before these are gone. If others are still on their way, these go now.
        guard rename(images, old) == 0 else { return discardImages() }
        Reservation.remove(from: directory)
        do throws(SystemError) {
            try loop.onThread("discard") {
                try? removeImages(old)
            } then: { _ in
            }
        } catch {
            try? removeImages(old)
        }
    }

    /// Removes images and logs.
    package func remove() throws(SystemError) {
        for images in [images, old] { try removeImages(images) }
        try Files.removeTree(directory)
    }

    /// Moves images and logs out of the way, for a person to look at. Each is as large as the container's memory, so
    /// their number and their size are bounded: the oldest go first, and the newest stays however large it is.
    /// - Returns: where they are, and whose had to go.
    package func setAside(
        in place: String, as name: String, atMost limit: Int = 8, bytes: UInt64 = 4 << 30
    ) throws(SystemError) -> (place: String, removed: [String]) {
        try Files.makeDirectories(place, mode: 0o700)
        let destination = "\(place)/\(name)"
        try Snapshot(directory: destination).remove()
        try retrying("rename", directory) { rename(directory, destination) }
        let others = ((try? Files.names(in: place)) ?? []).filter { $0 != name }.sorted {
            Files.modificationTime("\(place)/\($0)") > Files.modificationTime("\(place)/\($1)")
        }
        var (count, size) = (1, Files.diskUsage(destination))
        let removed = others.filter { other in
            count += 1
            size += Files.diskUsage("\(place)/\(other)")
            return count > limit || size > bytes
        }
        for other in removed { try? Snapshot(directory: "\(place)/\(other)").remove() }
        return (destination, removed)
    }

    /// The last lines of one of CRIU's logs, for a person to read.
    package func logTail(_ name: String, lines: Int = 12) -> String {
        let text = (try? Files.readText("\(directory)/\(name)")) ?? ""
        return CRIULog.end(of: text, lines: lines)
    }
}
