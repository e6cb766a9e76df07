import Foundation

/// What was tried, how it ended, and how long it took: a line each, of which Tests/VirtualMachine/table.awk makes the table.
final class Results {
    private(set) var passed = 0
    private(set) var failed = 0

    /// - Parameters:
    ///   - what: a row of the table.
    ///   - way: its column; nil for what concerns the node.
    ///   - body: returns what stands behind the time in the table, such as "frozen".
    func check(_ what: String, _ way: Way? = nil, _ body: () async throws -> String) async {
        let begin = ContinuousClock.now
        let outcome: Result<String, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        let seconds = String(format: "%.1f", (ContinuousClock.now - begin) / .seconds(1))
        let column = way?.rawValue ?? "node"
        switch outcome {
        case .success(let remark):
            passed += 1
            print("result|\(what)|\(column)|\(seconds) \(remark)")
        case .failure(let problem):
            failed += 1
            print("result|\(what)|\(column)|FAILED")
            print("  \(problem)".prefix(3000).replacing("\n", with: "\n  "))
        }
    }
}
