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
            for mode in Selection.modes {
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

    /// All kinds together; where that fails as a whole, each alone, which tells who is to blame.
    private func trials(
        of group: Group, _ mode: Mode, on node: TestNode, with outsider: Outsider
    ) async throws -> [Verdict] {
        func trial() -> Trial { Trial(group, mode, on: node, with: outsider) }
        var names: [String] = []
        if group.separate {
            names = try await outsider.ask("names", "", [("group", group.name)]).keys.sorted()
        } else {
            let together = try await trial().verdicts()
            guard together.contains(where: \.wasLost), together.count > 1 else { return together }
            names = together.map(\.name)
        }
        var verdicts: [Verdict] = []
        for name in names { verdicts += try await trial().verdicts(only: [name]) }
        return verdicts
    }
}
