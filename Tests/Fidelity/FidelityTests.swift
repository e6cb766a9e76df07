import Foundation
import TestNode
import Testing

private let programs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Programs").path()

/// What processes hold is what it was after a sleep, whatever others did to it meanwhile.
@Suite(
    .nodes("fidelity", options: ["--debug", "--mount", "\(programs):/fidelity"]),
    .enabled(if: Runtime.shim != nil, "needs ZEROPOD_SHIM_DIRECTORY"))
struct FidelityTests {
    @Test(arguments: Selection.groups) func isKept(_ group: Group) async throws {
        let node = try await node(.current)
        try await Outsider.with(on: node) { outsider in
            for mode in Selection.modes ?? group.modes {
                let verdicts = try await trials(of: group, mode, on: node, with: outsider)
                Results.shared.add(verdicts)
                for verdict in verdicts {
                    for failure in verdict.failures {
                        Issue.record("\(verdict.holds) | \(verdict.asleep) | \(mode) | \(failure)")
                    }
                }
            }
        }
    }

    /// All kinds together; where that fails as a whole, each half, which soon tells who is to blame.
    private func trials(
        of group: Group, _ mode: Mode, on node: TestNode, with outsider: Outsider, only names: [String] = []
    ) async throws -> [Verdict] {
        if group.separate, names.isEmpty {
            let all = try await outsider.ask("names", "", [("group", group.name)]).keys.sorted()
            return try await trials(of: group, mode, on: node, with: outsider, inParts: all.map { [$0] })
        }
        let together = try await Trial(group, mode, on: node, with: outsider).verdicts(only: names)
        guard together.contains(where: \.wasLost), together.count > 1 else { return together }
        let all = together.map(\.name)
        let halves = [all.prefix(all.count / 2), all.suffix(from: all.count / 2)]
        return try await trials(of: group, mode, on: node, with: outsider, inParts: halves.map(Array.init))
    }

    private func trials(
        of group: Group, _ mode: Mode, on node: TestNode, with outsider: Outsider, inParts parts: [[String]]
    ) async throws -> [Verdict] {
        var verdicts: [Verdict] = []
        for names in parts {
            verdicts += try await trials(of: group, mode, on: node, with: outsider, only: names)
        }
        return verdicts
    }
}
