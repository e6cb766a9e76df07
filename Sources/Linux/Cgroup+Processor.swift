extension Cgroup {
    /// Processor time that the processes in this cgroup and below have used, those that have ended too; nil where no
    /// controller tells.
    package var processorTime: Instant.Span? {
        if let directory = directories["cpuacct"] {
            let text = try? Files.readText("\(directory)/cpuacct.usage")
            return text.flatMap { UInt64($0.prefix { $0.isNumber }) }.map { Instant.Span(nanoseconds: $0) }
        }
        guard let directory = directories[""], let text = try? Files.readText("\(directory)/cpu.stat") else {
            return nil
        }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 && words[0] == "usage_usec" {
                return UInt64(words[1]).map { Instant.Span(nanoseconds: $0 * 1000) }
            }
        }
        return nil
    }

    /// The kernel's own bound (NR_CPUS) is 8192 at the most.
    package static let mostProcessors = 8192

    /// Which processors the processes may run on: a bit for each, as in sched_getaffinity(2). nil where no controller
    /// tells.
    package var processors: [UInt8]? {
        let file = directories["cpuset"].map { "\($0)/cpuset.effective_cpus" }
        guard let path = file ?? directories[""].map({ "\($0)/cpuset.cpus.effective" }),
            let text = try? Files.readText(path)
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.mostProcessors / 8)
        // "0-3,7"
        for range in text.split(whereSeparator: { $0 == "," || $0 == "\n" }) {
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last, last < Self.mostProcessors else {
                return nil
            }
            for number in first...last { bytes[number / 8] |= 1 << UInt8(number % 8) }
        }
        return bytes
    }
}
