import Glibc
import Linux

extension Snapshot {
    /// How many bytes of each file are read ahead: as much as is read before the processes run. Most memory comes
    /// later, or takes so long to read that nothing is gained.
    private static let readAheadLimit = 16 << 20

    /// Has the kernel read the images into its page cache, all of them at once; CRIU reads them one after the other.
    /// Does not wait. For the moment when CRIU itself is still being started.
    package func readAhead() {
        for name in (try? Files.names(in: images)) ?? [] {
            guard let file = try? Descriptor.open("\(images)/\(name)") else { continue }
            _ = posix_fadvise(file.rawValue, 0, off_t(Self.readAheadLimit), POSIX_FADV_WILLNEED)
        }
    }
}
