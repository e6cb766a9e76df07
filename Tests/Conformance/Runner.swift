import Commands
import Foundation
import TestNode

enum Outcome: Sendable {
    case passed
    case failed(String)
    case skipped(String)

    var isFailure: Bool {
        if case .failed = self { true } else { false }
    }

    var word: String {
        switch self {
        case .passed: "pass"
        case .failed: "FAIL"
        case .skipped: "skip"
        }
    }
}

/// Tries checks with one runtime on a node that is this column's own: what the stock shim leaves behind is not ours to find.
/// After a check that failed the node is made anew.
struct Runner {
    let shim: URL
    let column: Column
    /// A check that takes longer has failed, and the node ends with it.
    let limit: Duration

    private var name: String { "conformance.\(column.containerd.rawValue).\(column.runtime)" }

    /// - Returns: the versions of what is on the node.
    @discardableResult
    func run(_ checks: [Check], _ table: inout Table) async throws -> String {
        var node: TestNode?
        var versions = ""
        do {
            for check in checks {
                try Task.checkCancellation()
                if node == nil { node = try await up() }
                guard let running = node else { continue }
                if versions.isEmpty { versions = try await running.versions() }
                let setup = Case(node: running, runtime: column.runtime)
                let (outcome, time) = await bounded(check, setup)
                table.note(check.name, column, outcome, time)
                guard case .failed = outcome else { continue }
                if column.runtime == .zeropod { say(await setup.node.diagnosis()) }
                node = nil
            }
        } catch {
            try? await TestNode.down(name)
            throw error
        }
        try await TestNode.down(name)
        return versions
    }

    /// Ends what an earlier node of this name left first.
    private func up() async throws -> TestNode {
        try await TestNode.up(name, containerd: column.containerd, shim: shim, options: ["--debug"])
    }

    private func bounded(_ check: Check, _ setup: Case) async -> (Outcome, Duration) {
        let start = ContinuousClock.now
        let trying = Task { await outcome(of: check, setup) }
        let watch = Task {
            try await Task.sleep(for: limit)
            // Whatever the check waits for ends with the node.
            trying.cancel()
            try await TestNode.down(name)
        }
        let result = await withTaskCancellationHandler {
            await trying.value
        } onCancel: {
            trying.cancel()
        }
        watch.cancel()
        let time = ContinuousClock.now - start
        if time < limit { return (result, time) }
        _ = try? await watch.value
        return (.failed("took longer than \(limit)"), time)
    }

    private func outcome(of check: Check, _ setup: Case) async -> Outcome {
        do {
            try await check.body(setup)
            let left = try await setup.node.lastingLeftovers()
            return left.isEmpty ? .passed : .failed("left behind: \(left.joined(separator: "; "))")
        } catch let error as NotHere {
            return .skipped(error.description)
        } catch {
            return .failed("\(error)")
        }
    }
}
