extension Cgroup {
    /// Bytes of memory that the groups above this one leave to it: the least of what is missing to each one's limit. What the
    /// kernel can take back at once (files that nobody has used for long) is not counted as used. `UInt64.max` without a
    /// limit.
    package var memoryLeftByParents: UInt64 {
        guard let directory = directories[""] ?? directories["memory"] else { return .max }
        var place = directory.split(separator: "/").dropLast()
        var least = UInt64.max
        while !place.isEmpty {
            let parent = place.map { "/\($0)" }.joined()
            if let left = Self.memoryLeft(in: parent, isUnified) { least = min(least, left) }
            place.removeLast()
        }
        return least
    }

    /// nil without a limit, or where there is no such group.
    private static func memoryLeft(in directory: String, _ isUnified: Bool) -> UInt64? {
        func number(_ file: String) -> UInt64? {
            (try? Files.readText("\(directory)/\(file)")).flatMap { UInt64($0.filter { !$0.isWhitespace }) }
        }
        // None is "max", and on v1 a number near the largest.
        guard let limit = number(isUnified ? "memory.max" : "memory.limit_in_bytes"), limit < .max >> 2,
            let used = number(isUnified ? "memory.current" : "memory.usage_in_bytes")
        else { return nil }
        let name = isUnified ? "inactive_file " : "total_inactive_file "
        let statistics = (try? Files.readText("\(directory)/memory.stat")) ?? ""
        let line = statistics.split(separator: "\n").first { $0.hasPrefix(name) }
        let spare = line.flatMap { UInt64($0.dropFirst(name.count)) } ?? 0
        let needed = used - min(used, spare)
        return limit - min(limit, needed)
    }
}
