import Linux
import Testing

@testable import Checkpoint

/// Which memory comes before the processes run, and which after, by images as CRIU writes them.
@Suite struct LazyMemoryTests {
    private static let page: UInt64 = 4096
    private static let megabyte: UInt64 = 1 << 20
    /// MAP_PRIVATE | MAP_ANONYMOUS.
    private static let anonymous: UInt64 = 0x22

    private struct Mapping {
        var start: UInt64
        var size: UInt64
        var flags = anonymous
        /// VMA_AREA_REGULAR.
        var status: UInt64 = 1
        /// Bytes of it in the images, from its start on.
        var filled: UInt64
    }

    private func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
    }

    private func entry(_ numbers: KeyValuePairs<UInt64, UInt64>) -> [UInt8] {
        numbers.flatMap { varint($0.key << 3) + varint($0.value) }
    }

    private func sized(_ body: [UInt8]) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
    }

    private func write(_ mappings: [Mapping], of process: Int, in directory: String) throws {
        var memory = entry([1: 0x400000])
        var pages: [UInt8] = Array(repeating: 0, count: 8) + sized(entry([1: 1]))
        for mapping in mappings {
            let body = entry([
                1: mapping.start, 2: mapping.start + mapping.size, 3: 0, 4: 0, 5: 3, 6: mapping.flags,
                7: mapping.status, 8: 1,
            ])
            memory += varint(14 << 3 | 2) + varint(UInt64(body.count)) + body
            let count = mapping.filled / Self.page
            // PE_PRESENT, and PE_LAZY where CRIU sets it.
            let flags: UInt64 = mapping.flags == Self.anonymous ? 6 : 4
            if count > 0 { pages += sized(entry([1: mapping.start, 2: count, 4: flags, 5: count])) }
        }
        try Files.write(Array(repeating: 0, count: 8) + sized(memory), to: "\(directory)/mm-\(process).img")
        try Files.write(pages, to: "\(directory)/pagemap-\(process).img")
    }

    /// The flags of all runs of pages in the images of a process, in their order.
    private func flags(of process: Int, in directory: String) throws -> [UInt8] {
        let bytes = try Files.read("\(directory)/pagemap-\(process).img")
        var found: [UInt8] = []
        var place = 8
        while place < bytes.count {
            let end = place + 4 + Int(bytes[place])
            // Field 4 is before field 5, which has as many bytes as field 2: look for its key from behind.
            if place > 8, let key = bytes[(place + 4)..<end].lastIndex(of: 4 << 3) { found.append(bytes[key + 1]) }
            place = end
        }
        return found
    }

    private func withImages(
        _ processes: [[Mapping]], _ body: (_ directory: String, LazyMemory) throws -> Void
    ) throws {
        let directory = "/tmp/zeropod-lazy-memory-tests.\(Instant.now.nanoseconds)"
        try Files.makeDirectories(directory)
        defer { try? Files.removeTree(directory) }
        for (index, mappings) in processes.enumerated() { try write(mappings, of: index + 1, in: directory) }
        try body(directory, try LazyMemory.choose(in: directory))
    }

    private let heap = Mapping(start: 0x1000_0000, size: 4 << 20, filled: 2 << 20)
    private let hoard = Mapping(start: 0x7000_0000_0000, size: 256 << 20, filled: 256 << 20)

    @Test func theLargeRegionComesLaterAndTheSmallOneBefore() throws {
        let library = Mapping(start: 0x2000_0000, size: 1 << 20, flags: 0x2, filled: 1 << 20)
        try withImages([[heap, library, hoard]]) { directory, memory in
            #expect(memory.size == 256 << 20)
            #expect(memory.complete == [heap.start..<heap.start + heap.size])
            let found = try flags(of: 1, in: directory)
            #expect(found == [4, 4, 6])
        }
    }

    @Test func thereIsALimitToWhatComesBefore() throws {
        let arenas = (0..<40).map {
            Mapping(start: 0x2000_0000 + UInt64($0) << 24, size: 1 << 20, filled: 1 << 20)
        }
        try withImages([arenas + [hoard]]) { directory, memory in
            #expect(memory.size == (256 + 40 - 8) << 20)
            #expect(memory.complete.count == 8)
            let found = try flags(of: 1, in: directory)
            #expect(found.count { $0 == 6 } == 1 + 40 - 8)
        }
    }

    @Test func mappingsThatTouchAreOne() throws {
        let next = Mapping(start: hoard.start + hoard.size, size: 1 << 20, filled: 4096)
        try withImages([[heap, hoard, next]]) { directory, memory in
            #expect(memory.size == 256 << 20 + 4096)
            let found = try flags(of: 1, in: directory)
            #expect(found == [4, 6, 6])
        }
    }

    @Test func ofSeveralProcessesTheLargestAloneIsLazy() throws {
        let other = Mapping(start: 0x6000_0000_0000, size: 100 << 20, filled: 100 << 20)
        try withImages([[other], [heap, hoard]]) { directory, memory in
            #expect(memory.size == 256 << 20)
            let found = [try flags(of: 1, in: directory), try flags(of: 2, in: directory)]
            #expect(found == [[4], [4, 6]])
            #expect(memory.complete.contains(other.start..<other.start + other.size))
        }
    }

    /// After a fork two processes have the same addresses, and nothing tells them apart.
    @Test func whatAnotherProcessHasAtTheSameAddressesComesBefore() throws {
        try withImages([[heap, hoard], [heap, hoard]]) { directory, memory in
            #expect(memory.size == 0)
            let found = [try flags(of: 1, in: directory), try flags(of: 2, in: directory)]
            #expect(found == [[4, 4], [4, 4]])
        }
    }

    @Test func lockedMemoryAndTheKernelsIsNotAskedFor() throws {
        let locked = Mapping(start: 0x2000_0000, size: 1 << 20, flags: Self.anonymous | 0x2000, filled: 1 << 20)
        let vdso = Mapping(start: 0x3000_0000, size: 8192, status: 1 << 3, filled: 8192)
        try withImages([[locked, vdso, hoard]]) { _, memory in
            #expect(memory.size == 256 << 20)
            #expect(memory.complete == [])
        }
    }

    @Test func imagesWithoutMemoryHaveNothingToBring() throws {
        try withImages([[]]) { _, memory in #expect(memory == LazyMemory()) }
    }

    @Test(arguments: [[0], [1, 0, 0, 0], [0xff, 0xff, 0xff, 0x7f, 1], [2, 0, 0, 0, 0x0a, 0]] as [[UInt8]])
    func whatIsNoImageIsNamed(rest: [UInt8]) throws {
        try withImages([[heap]]) { directory, _ in
            let path = "\(directory)/pagemap-1.img"
            try Files.write(try Files.read(path) + rest, to: path)
            #expect { try LazyMemory.choose(in: directory) } throws: { "\($0)".contains("pagemap-1.img") }
        }
    }
}
