import Commands
import Foundation

extension TestNode {
    private static let images = "/var/lib/zeropod"

    /// From now on images go to an ext4 of their own. It ends with the node, if not before.
    ///
    /// - Returns: the file that is the disk, as the machine sees it.
    @discardableResult
    package func mountDisk(thatEncrypts: Bool, megabytes: Int = 512) async throws -> URL {
        let disk = state.appending(path: "zeropod/disk")
        try await Command.run(["truncate", "--size=\(megabytes)M", disk.path()])
        let features = thatEncrypts ? "encrypt" : "^encrypt"
        try await Command.run(["mke2fs", "-q", "-t", "ext4", "-O", features, disk.path()])
        try await shell("mount -o loop \(Self.images)/disk \(Self.images)")
        return disk
    }

    package func unmountDisk() async throws { try await shell("umount \(Self.images) && rm \(Self.images)/disk") }

    /// The same for as long as `body` runs.
    package func withDisk(thatEncrypts: Bool, _ body: (URL) async throws -> Void) async throws {
        let disk = try await mountDisk(thatEncrypts: thatEncrypts)
        do {
            try await body(disk)
        } catch {
            try await unmountDisk()
            throw error
        }
        try await unmountDisk()
    }
}
