extension Cgroup {
    /// Bytes of anonymous memory of the processes in this cgroup and below; nil where no memory controller tells.
    package var anonymousMemory: UInt64? {
        // v2 counts those below in the same line; v1 has a second set of lines for them.
        let name = isUnified ? "anon" : "total_rss"
        guard let directory = directories[""] ?? directories["memory"],
            let text = try? Files.readText("\(directory)/memory.stat")
        else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 && words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }
}
