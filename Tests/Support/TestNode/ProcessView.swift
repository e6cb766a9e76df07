import Commands

/// All that the kernel tells of a container's processes: `Tests/Fidelity/Programs/processes.sh`.
package struct ProcessView: Sendable {
    /// Keys that may differ over a sleep, as beginnings.
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

    private let values: [String: String]

    /// - Parameter script: where the node has it.
    package init(of container: Container, by script: String = "/fidelity/processes.sh") async throws {
        let pids = try await container.processes().map(String.init)
        let lines = try await container.pod.node.shell(
            "bash \(script) \(pids.joined(separator: " "))", deadline: .seconds(300)
        ).lines
        values = lines.reduce(into: [:]) { known, line in
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            if let key = parts.first { known[key] = parts.count > 1 ? parts[1] : "" }
        }
    }

    /// Once nothing moves any more, which takes a while after work; or with the keys that go on moving.
    package static func settled(of container: Container) async throws -> (view: ProcessView, moving: Set<String>) {
        var (view, moving): (ProcessView, Set<String>) = (try await ProcessView(of: container), [])
        for _ in 1...10 {
            let next = try await ProcessView(of: container)
            moving = Set(view.changed(in: next))
            view = next
            if moving.isEmpty { break }
        }
        return (view, moving)
    }

    /// How many things are known.
    package var count: Int { values.count }

    /// What a sleep between the two may not have changed, and that did change, as lines for people.
    /// - Parameters:
    ///   - moving: keys that change without a sleep as well.
    ///   - heapMoves: the program takes memory and gives it back while nobody asks it for anything.
    package func differences(from after: ProcessView, moving: Set<String> = [], heapMoves: Bool = false) -> [String] {
        let heap = heapMoves ? ["maps ", "status VmData", "status VmSize"] : []
        return changed(in: after).filter { key in
            !moving.contains(key) && !heap.contains { key.drop { $0 != " " }.dropFirst().hasPrefix($0) }
        }.map {
            "\($0) was \(values[$0] ?? "not there"), is \(after.values[$0] ?? "not there")"
        }
    }

    /// The keys of it.
    package func changed(in other: ProcessView) -> [String] {
        Set(values.keys).union(other.values.keys).sorted().filter { key in
            let name = key.drop { $0 != " " }.dropFirst()
            return values[key] != other.values[key] && !Self.mayDiffer.contains { name.hasPrefix($0) }
        }
    }
}
