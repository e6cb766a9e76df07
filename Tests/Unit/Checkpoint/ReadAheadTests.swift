import Glibc
import Linux
import Testing

@testable import Checkpoint

@Suite struct ReadAheadTests {
    /// What is not in the page cache when a wake begins is on its way there before CRIU asks for it.
    @Test func imagesThatAreColdAreRead() throws {
        // Beside the build, which is on a disk: in memory there is nothing to read.
        let snapshot = Snapshot(directory: "\(#filePath).\(getpid())")
        defer { try? snapshot.remove() }
        try snapshot.makeDirectories()
        let path = "\(snapshot.images)/pages-1.img"
        let pages = 256
        try Files.write([UInt8](repeating: 7, count: pages * 4096), to: path, mode: 0o600)
        let file = try Descriptor.open(path)
        fsync(file.rawValue)
        posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
        try #require(residentPages(of: file, pages) == 0)
        snapshot.readAhead()
        let deadline = Instant.now + .seconds(60)
        while residentPages(of: file, pages) < pages && Instant.now < deadline { usleep(1000) }
        let resident = residentPages(of: file, pages)
        #expect(resident == pages)
    }

    private func residentPages(of file: borrowing Descriptor, _ count: Int) -> Int {
        guard let place = mmap(nil, count * 4096, PROT_READ, MAP_SHARED, file.rawValue, 0), place != MAP_FAILED else {
            return -1
        }
        defer { munmap(place, count * 4096) }
        var resident = [UInt8](repeating: 0, count: count)
        mincore(place, count * 4096, &resident)
        return resident.count { $0 & 1 == 1 }
    }
}
