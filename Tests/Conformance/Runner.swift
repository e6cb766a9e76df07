import Commands
import Foundation
import TestNode

enum Outcome: Sendable {
    case passed
    case failed(String)
    case skipped(String)

    var word: String {
        switch self {
        case .passed: "pass"
        case .failed: "FAIL"
        case .skipped: "skip"
        }
    }
}

/// Tries checks on a node of each containerd, with the stock runtime and ours.
struct Runner {
    let shim: URL
    let checks: [Check]

    func run(on containerd: Containerd, _ table: inout Table) async throws {
        let name = "conformance.\(containerd.rawValue)"
        do {
            let node = try await TestNode.up(name, containerd: containerd, shim: shim, options: ["--debug"])
            for check in checks {
                for runtime in Runtime.available {
                    let column = Column(containerd: containerd, runtime: runtime)
                    let outcome = await outcome(of: check, Case(node: node, runtime: runtime))
                    table.note(check.name, column, outcome)
                    if case .failed = outcome, runtime == .zeropod { say(await node.diagnosis()) }
                }
            }
        } catch {
            try? await TestNode.down(name)
            throw error
        }
        try await TestNode.down(name)
    }

    private func outcome(of check: Check, _ setup: Case) async -> Outcome {
        do {
            // What another runtime left is not this one's.
            let before = Set(try await setup.node.leftovers())
            try await check.body(setup)
            // A shim ends a moment after containerd has its answer.
            var left: Set = ["not asked"]
            _ = try? await eventually("nothing is left", within: .seconds(10)) {
                left = Set(try await setup.node.leftovers()).subtracting(before)
                return left.isEmpty ? true : nil
            }
            return left.isEmpty ? .passed : .failed("left behind: \(left.sorted().joined(separator: "; "))")
        } catch let error as NotHere {
            return .skipped(error.description)
        } catch {
            return .failed("\(error)")
        }
    }
}
