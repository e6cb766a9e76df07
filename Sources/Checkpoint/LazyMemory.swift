import Glibc
import Linux

/// Which of the memory in the images comes after the processes run again, and which before.
///
/// Only the large regions of one process come later: the process that has most memory. A program touches small regions
/// first, and each page that is touched before it has come costs a round trip to the page server.
///
/// Only one process is lazy. `criu lazy-pages` closes a process's userfaultfd when its memory is complete, and assumes
/// that this was the last descriptor: that the kernel answers faults by itself from then on, and that its epoll forgets
/// the process. While the shim holds a copy (`PageFaults`), the kernel would go on asking, and nobody would answer. So
/// the shim unregisters what is complete before the processes run; the memory of the lazy process is complete when the
/// server ends.
package struct LazyMemory: Equatable, Sendable {
    /// Bytes that come later.
    package var size: UInt64 = 0
    /// Addresses at which criu will ask for the faults of some process, though all that belongs there is there before.
    /// No process has memory that comes later at any of them.
    var complete: [Range<UInt64>] = []

    package init() {}

    /// Memory that comes before, at most: a sixteenth of all, and no more than this, which takes 5 ms.
    private static let mostBefore: UInt64 = 8 << 20

    /// Decides for the images in a directory, and writes it into them.
    static func choose(in directory: String) throws(CheckpointError) -> LazyMemory {
        let names: [String]
        do { names = try Files.names(in: directory) } catch { throw .system(error) }
        var processes: [ProcessMemory] = []
        for name in names where name.hasPrefix("mm-") && name.hasSuffix(".img") {
            processes.append(try ProcessMemory(name.dropFirst("mm-".count), in: directory))
        }
        guard let largest = processes.indices.max(by: { processes[$0].size < processes[$1].size }) else {
            return LazyMemory()
        }
        var others: [Range<UInt64>] = []
        for index in processes.indices where index != largest { others += processes[index].regions.map(\.addresses) }
        let all = processes.reduce(0) { $0 + $1.size }
        let later = processes[largest].large(before: min(mostBefore, all / 16)).filter { region in
            // Processes are told apart by their addresses alone.
            !others.contains { $0.overlaps(region.addresses) }
        }
        for index in processes.indices {
            try processes[index].bringBefore { run in
                index != largest || !later.contains { $0.addresses.contains(run.address) }
            }
        }
        var chosen = LazyMemory()
        chosen.size = later.reduce(0) { $0 + $1.size }
        chosen.complete = merged(
            others + processes[largest].regions.filter { !later.contains($0) }.map(\.addresses))
        return chosen
    }

    /// The same addresses, each once: after a fork many processes have the same.
    private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        ranges.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { merged, range in
            if let last = merged.last, last.upperBound >= range.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
    }
}

/// What the images say of the memory of one process that may come later: `mm-N.img` and `pagemap-N.img` (CRIU's
/// images/mm.proto, vma.proto and pagemap.proto).
private struct ProcessMemory {
    /// Mappings without a gap between them.
    struct Region: Equatable {
        var addresses: Range<UInt64>
        /// Bytes in the images.
        var size: UInt64 = 0
    }

    /// Neighbouring pages. Those of two regions are never in one.
    struct Run {
        let address: UInt64
        let size: UInt64
        /// Where its flags are in the file, if it has some.
        let flags: Int?
    }

    /// In the order of their addresses.
    private(set) var regions: [Region] = []
    private var runs: [Run] = []
    private let path: String
    private var bytes: [UInt8]

    var size: UInt64 { regions.reduce(0) { $0 + $1.size } }

    private static let pageSize = UInt64(getpagesize())
    /// `PE_LAZY` of criu/include/pagemap.h.
    private static let lazy: UInt8 = 2

    init(_ name: Substring, in directory: String) throws(CheckpointError) {
        path = "\(directory)/pagemap-\(name)"
        let memory = "\(directory)/mm-\(name)"
        let mappings = try ImageFile.entry(memory, headerSize: 8).fields.filter { $0.number == 14 }
        for mapping in mappings {
            let entry = try ImageFile.Message(parsing: mapping.bytes, path: memory)
            guard let start = entry.number(1), let end = entry.number(2), start < end,
                let flags = entry.number(6), let status = entry.number(7)
            else { throw .badImage(path: memory) }
            guard Self.mayBeLazy(flags: flags, status: status) else { continue }
            if let last = regions.last, last.addresses.upperBound == start {
                regions[regions.count - 1].addresses = last.addresses.lowerBound..<end
            } else {
                regions.append(Region(addresses: start..<end))
            }
        }
        do { bytes = try Files.read(path) } catch { throw .system(error) }
        try readRuns()
    }

    /// `vma_entry_can_be_lazy` of criu/include/vma.h: private and anonymous, neither locked nor of huge pages, and not
    /// one of the kernel's own.
    private static func mayBeLazy(flags: UInt64, status: UInt64) -> Bool {
        let (isPrivate, anonymous, locked, huge): (UInt64, UInt64, UInt64, UInt64) = (0x2, 0x20, 0x2000, 0x40000)
        let kernels: UInt64 = 1 << 2 | 1 << 3 | 1 << 12
        return flags & (isPrivate | anonymous | locked | huge) == isPrivate | anonymous && status & kernels == 0
    }

    /// After two magic numbers an entry with the number of the pages' file, then one for each run of pages.
    private mutating func readRuns() throws(CheckpointError) {
        var place = 8
        var isFirst = true
        var region = 0
        while place < bytes.count {
            guard place + 4 <= bytes.count else { throw .badImage(path: path) }
            let size = bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            let end = place + 4 + size
            guard end <= bytes.count else { throw .badImage(path: path) }
            if !isFirst {
                let run = try readRun(place + 4, end)
                while region < regions.count, regions[region].addresses.upperBound <= run.address { region += 1 }
                if run.flags != nil, region < regions.count, regions[region].addresses.contains(run.address) {
                    regions[region].size += run.size
                    runs.append(run)
                }
            }
            isFirst = false
            place = end
        }
    }

    private func readRun(_ start: Int, _ end: Int) throws(CheckpointError) -> Run {
        var (address, count, flags): (UInt64?, UInt64?, Int?) = (nil, nil, nil)
        var place = start
        func number() throws(CheckpointError) -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) where place < end {
                let byte = bytes[place]
                place += 1
                value |= UInt64(byte & 0x7f) << shift
                if byte & 0x80 == 0 { return value }
            }
            throw .badImage(path: path)
        }
        while place < end {
            let key = try number()
            guard key & 7 == 0 else { throw .badImage(path: path) }
            let begin = place
            let value = try number()
            switch key >> 3 {
            case 1: address = value
            // The second form, where it is there, has room for more.
            case 2: count = count ?? value
            case 5: count = value
            case 4 where place == begin + 1 && UInt8(value) & Self.lazy != 0: flags = begin
            default: break
            }
        }
        guard let address, let count else { throw .badImage(path: path) }
        return Run(address: address, size: count * Self.pageSize, flags: flags)
    }

    /// All but the smallest regions, which together are no larger than that.
    func large(before limit: UInt64) -> [Region] {
        var before: UInt64 = 0
        return regions.sorted { $0.size < $1.size }.filter { region in
            before += region.size
            return before > limit
        }
    }

    /// Takes the mark from runs that say they may come later.
    mutating func bringBefore(where condition: (Run) -> Bool) throws(CheckpointError) {
        for run in runs where condition(run) {
            if let flags = run.flags { bytes[flags] &= ~Self.lazy }
        }
        // In its place: a full disk must not cost what is there.
        do {
            try Descriptor.open(path, O_WRONLY).writeAll(bytes)
        } catch {
            throw .system(error)
        }
    }
}
