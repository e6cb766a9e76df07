import Glibc
import Linux

/// Room for images on the disk. The node needs some itself: the kubelet evicts pods when less than a tenth of the disk is
/// free (`nodefs.available<10%`).
extension Snapshot {
    /// An eighth of the disk is not ours to fill.
    private static let shareKept: UInt64 = 8
    /// What the images have besides memory: about 0.3 MB of a small container.
    private static let overhead: UInt64 = 4 << 20
    /// With less than that left, a write that failed did so for want of room.
    private static let nothing: UInt64 = 1 << 20

    /// - Parameter memory: bytes that the processes have in memory.
    func requireRoom(forMemory memory: UInt64) throws(CheckpointError) {
        let needed = memory + Self.overhead
        let (size, free) = try room()
        let kept = size / Self.shareKept
        if free < needed + kept { throw .noRoom(directory: directory, needed: needed, free: free, kept: kept) }
    }

    /// A failed checkpoint, with the reason why CRIU could not write, if that was it.
    func explain(_ error: CheckpointError, memory: UInt64) -> CheckpointError {
        guard case .criu = error, let (_, free) = try? room() else { return error }
        let complaints = ["No space left on device", "Disk quota exceeded"]
        // On a full disk the log may lack its end.
        let isFull = free < Self.nothing || complaints.contains { error.description.containsText($0) }
        return isFull ? .noRoom(directory: directory, needed: memory + Self.overhead, free: free, kept: 0) : error
    }

    private func room() throws(CheckpointError) -> (size: UInt64, free: UInt64) {
        do throws(SystemError) {
            var status = statvfs()
            try retrying("statvfs", directory) { statvfs(directory, &status) }
            let block = UInt64(status.f_frsize)
            // What is free for others than root, as the kubelet counts.
            return (UInt64(status.f_blocks) * block, UInt64(status.f_bavail) * block)
        } catch {
            throw .system(error)
        }
    }
}
