import Commands
import Foundation
import TestNode

/// Measures entries one after the other on one node. What fails is told, its rows are left out, and the others go on.
struct Runner {
    let shim: URL
    let rounds: Int
    let selection: Selection
    let report: Report
    /// Where the numbers go after each entry, so that an interrupted run has what it had.
    let file: URL

    private static let name = "bench"

    /// Gives the failures.
    func run() async throws -> [String] {
        var failures: [String] = []
        var node: TestNode?
        // Pages of a file that the disk does not have yet would count as private dirty memory of who runs it.
        try await Command.run(["sync", shim.appending(path: "containerd-shim-zeropod-v2").path()])
        do {
            for entry in selection.entries {
                try Task.checkCancellation()
                let there = if let node { node } else { try await TestNode.up(Self.name, shim: shim) }
                node = there
                let rows = entry.rows.filter(selection.wants)
                let begin = ContinuousClock.now
                tell("\(rows.joined(separator: ", ")) …")
                do {
                    try await entry.measure(Bench(node: there, shim: shim, rounds: rounds, report: report))
                    tell(" \(Int((ContinuousClock.now - begin).seconds)) s\n")
                } catch {
                    try Task.checkCancellation()
                    await report.drop(entry.rows)
                    tell(" failed: \(error)\n\(await there.diagnosis())\n")
                    failures.append("\(rows.joined(separator: ", ")): \(error)")
                    // Whatever it left ends with its node.
                    node = nil
                }
                await report.keep(where: selection.wants)
                try await report.json.write(to: file)
            }
        } catch {
            try? await TestNode.down(Self.name)
            throw error
        }
        try await TestNode.down(Self.name)
        return failures
    }
}

func tell(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
