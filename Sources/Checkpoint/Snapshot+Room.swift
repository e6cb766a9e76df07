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

    /// Reserves room for images, until they are discarded. Two that are made at the same time do not count on the same.
    ///
    /// - Parameter memory: bytes that the processes have in memory, and in files without a name.
    func reserve(forMemory memory: UInt64) throws(CheckpointError) {
        let needed = Self.needed(forMemory: memory)
        removeAgedFailures()
        let lock = try lock()
        defer { FileLock.release(lock) }
        let others = rules.map { Reservation.all(below: $0.place, but: directory) } ?? []
        try requireShare(of: needed, beside: others.map(\.reservation))
        let (size, free) = try room()
        let unwritten = others.filter { !$0.reservation.isWritten }.reduce(0 as UInt64) { sum, other in
            let written = Files.diskUsage("\(other.directory)/images")
            return sum + other.reservation.bytes - min(written, other.reservation.bytes)
        }
        let kept = size / Self.shareKept + unwritten
        if free < kept || free - kept < needed {
            throw .noRoom(directory: directory, needed: needed, free: free, kept: kept)
        }
        do {
            try Reservation(bytes: needed, pod: rules?.pod ?? "").keep(in: directory)
        } catch {
            throw .system(error)
        }
    }

    private func lock() throws(CheckpointError) -> Descriptor {
        do { return try FileLock.acquire(directory: rules?.place ?? directory) } catch { throw .system(error) }
    }

    private func requireShare(of needed: UInt64, beside others: [Reservation]) throws(CheckpointError) {
        guard let rules else { return }
        let shares = [
            ("the pod", rules.ofPod, others.filter { $0.pod == rules.pod }), ("the node", rules.ofNode, others),
        ]
        for case (let owner, let limit?, let others) in shares {
            let used = others.reduce(0 as UInt64) { $0 + $1.bytes }
            if limit < used || limit - used < needed {
                throw .overLimit(owner: owner, needed: needed, used: used, limit: limit)
            }
        }
    }

    /// The images are complete, and take what they take. That can be more than was reserved: pages that processes share since
    /// a fork are in memory once, and in the images of each.
    func settle() throws(CheckpointError) {
        guard let reserved = Reservation(in: directory) else { return }
        let lock = try lock()
        defer { FileLock.release(lock) }
        let size = size
        if size > reserved.bytes {
            let others = rules.map { Reservation.all(below: $0.place, but: directory) } ?? []
            try requireShare(of: size, beside: others.map(\.reservation))
            let (disk, free) = try room()
            if free < disk / Self.shareKept {
                throw .noRoom(directory: directory, needed: size, free: free, kept: disk / Self.shareKept)
            }
        }
        do {
            try Reservation(bytes: size, pod: reserved.pod, isWritten: true).keep(in: directory)
        } catch {
            throw .system(error)
        }
    }

    /// A sixteenth more than the memory, which may grow until the processes stand still.
    private static func needed(forMemory memory: UInt64) -> UInt64 {
        let most = UInt64.max / 4
        return min(memory, most) + min(memory, most) / 16 + overhead
    }

    /// Removes the images of failed restores that are older than the operator wants them kept.
    package func removeAgedFailures() {
        guard let rules else { return }
        let place = "\(rules.place)/failed"
        for name in (try? Files.names(in: place)) ?? []
        where Files.modificationTime("\(place)/\(name)") < time(nil) - rules.failedAge {
            try? Snapshot(directory: "\(place)/\(name)").remove()
        }
    }

    /// A failed checkpoint, with the reason why CRIU could not write, if that was it.
    func explain(_ error: CheckpointError, memory: UInt64) -> CheckpointError {
        guard case .criu = error, let (_, free) = try? room() else { return error }
        let complaints = ["No space left on device", "Disk quota exceeded"]
        // On a full disk the log may lack its end.
        let isFull = free < Self.nothing || complaints.contains { error.description.containsText($0) }
        return isFull
            ? .noRoom(directory: directory, needed: Self.needed(forMemory: memory), free: free, kept: 0) : error
    }

    private func room() throws(CheckpointError) -> (size: UInt64, free: UInt64) {
        do throws(SystemError) {
            var status = statvfs()
            try retrying("statvfs", directory) { statvfs(directory, &status) }
            let block = UInt64(status.f_frsize)
            // Free space as the kubelet counts it: without the part that is reserved for root.
            return (UInt64(status.f_blocks) * block, UInt64(status.f_bavail) * block)
        } catch {
            throw .system(error)
        }
    }
}
