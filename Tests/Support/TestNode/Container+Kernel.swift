import Commands

/// Everything that the kernel tells of a container's processes, and what of it a sleep may change.
extension Container {
    /// Keys that may differ, as beginnings.
    private static let mayDiffer = [
        // The pid namespace is another one, and so are the pids outside it. Those inside are compared.
        "ns pid", "status Pid", "status Tgid", "status Ngid", "status PPid", "status NSpid", "status NStgid",
        "status NSpgid", "status NSsid",
        // What a process used, and how much of its memory is resident: it comes back as it is needed.
        "status VmPeak", "status VmHWM", "status VmRSS", "status Rss", "status VmPTE", "status VmSwap",
        "status voluntary_ctxt_switches", "status nonvoluntary_ctxt_switches",
        // How large the table of descriptors is: CRIU has some of its own there for a while.
        "status FDSize",
        // Counts signals of all processes of the user.
        "status SigQ",
    ]

    /// By "PID KEY", with the pid that the process has inside.
    /// - Parameter script: where the node has Tests/Fidelity/Programs/processes.sh.
    package func kernelView(by script: String = "/fidelity/processes.sh") async throws -> [String: String] {
        let pids = try await processes().map(String.init)
        let lines = try await pod.node.shell(
            "bash \(script) \(pids.joined(separator: " "))", deadline: .seconds(300)
        ).lines
        return lines.reduce(into: [:]) { known, line in
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            if let key = parts.first { known[key] = parts.count > 1 ? parts[1] : "" }
        }
    }

    /// One line for each thing that a sleep may not change, and that has changed.
    package static func changes(from before: [String: String], to after: [String: String]) -> [String] {
        Set(before.keys).union(after.keys).sorted().compactMap { key in
            let name = key.drop { $0 != " " }.dropFirst()
            guard before[key] != after[key], !mayDiffer.contains(where: { name.hasPrefix($0) }) else { return nil }
            return "\(key) was \(before[key] ?? "not there"), is \(after[key] ?? "not there")"
        }
    }
}
