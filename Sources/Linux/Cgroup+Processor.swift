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
}
