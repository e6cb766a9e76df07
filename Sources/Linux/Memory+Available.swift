extension Memory {
    /// Bytes that processes of this node can still have without swapping: MemAvailable of /proc/meminfo. Where that cannot
    /// be read nothing is known to be short.
    package static var available: UInt64 {
        for line in ((try? Files.readText("/proc/meminfo")) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == "MemAvailable:", let kilobytes = UInt64(words[1]) { return kilobytes << 10 }
        }
        return .max
    }
}
