import Glibc
import Linux

/// Settings of threads and processes that CRIU does not know and that nobody else can make for them: a restored one
/// would lack them. The kernel tells of them in /proc.
enum LostSettings {
    /// For processes that stand still.
    static func refuse(in pids: [pid_t]) throws(CheckpointError) {
        let usual = Speculation(inStatus: (try? Files.readText("/proc/self/status")) ?? "")
        for pid in pids {
            for thread in (try? Files.names(in: "/proc/\(pid)/task")) ?? [] {
                let status = (try? Files.readText("/proc/\(pid)/task/\(thread)/status")) ?? ""
                if let changed = Speculation(inStatus: status).isSet(otherwiseThan: usual) {
                    throw .lossy(
                        reason: "process \(pid) has set speculation control (\(changed)), which cannot be given back")
                }
                if let policy = memoryPolicy(of: "/proc/\(pid)/task/\(thread)") {
                    throw .lossy(reason: "process \(pid) has a memory policy (\(policy)), which cannot be given back")
                }
            }
        }
    }

    /// What prctl(PR_SET_SPECULATION_CTRL) sets, as /proc/PID/status has it.
    struct Speculation: Equatable {
        private static let names = ["Speculation_Store_Bypass:", "SpeculationIndirectBranch:"]
        private let values: [Substring]
        /// On some nodes the kernel sets both for whoever has a seccomp filter: with the filter it comes back.
        private let isFiltered: Bool

        init(inStatus text: String) {
            let lines = text.split(separator: "\n")
            values = Self.names.compactMap { name in lines.first { $0.hasPrefix(name) } }
            isFiltered = lines.contains { $0.hasPrefix("Seccomp:") && $0.hasSuffix("2") }
        }

        /// The line that differs; nil if none does.
        func isSet(otherwiseThan usual: Speculation) -> String? {
            // A thread that has ended tells nothing.
            guard values.count == usual.values.count else { return nil }
            let other = zip(values, usual.values).first { value, usual in
                value != usual && !(isFiltered && value.hasSuffix("force mitigated"))
                    && !(isFiltered && value.hasSuffix("force disabled"))
            }
            return other.map { $0.0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        }
    }

    /// The policy of set_mempolicy(2), as shown by the first mapping that has none of its own; nil for the usual one.
    /// To read all of numa_maps would make the kernel walk through the whole memory.
    static func memoryPolicy(of task: String) -> String? {
        guard let file = try? Descriptor.open("\(task)/numa_maps", O_RDONLY),
            let bytes = (try? file.read(atMost: 64)).flatMap({ $0 })
        else { return nil }
        return memoryPolicy(inMaps: String(decoding: bytes, as: UTF8.self))
    }

    static func memoryPolicy(inMaps text: String) -> String? {
        let words = text.prefix { $0 != "\n" }.split(separator: " ")
        return words.count < 2 || words[1] == "default" ? nil : String(words[1])
    }
}
