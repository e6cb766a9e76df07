import Commands
import Foundation

/// From the list of tests to the count.
struct Run: Sendable {
    let options: Options

    /// - Returns: whether something passed and nothing failed.
    func all() async throws -> Bool {
        try FileManager.default.createDirectory(at: options.directory, withIntermediateDirectories: true)
        let tests = try await listed()
        let plan = Plan(options: options, durations: Durations(file: options.durations))
        let items = (0..<options.repetitions).flatMap { _ in plan.items(of: tests) }
        let board = Board(items, plan, workers: options.workers)
        say(announcement(items))
        for item in items where item.isAlone { try await Worker(number: 1, board: board, options: options).run(item) }
        try await withThrowingTaskGroup { group in
            for number in 1...options.workers {
                group.addTask { try await Worker(number: number, board: board, options: options).run() }
            }
            try await group.waitForAll()
        }
        try Task.checkCancellation()
        let results = await board.results
        try Report(options: options, results: results, durations: plan.durations).write(known: tests)
        return results.passed > 0 && results.failures.isEmpty
    }

    private func listed() async throws -> [Test] {
        let output = try await Command.run(
            [options.bundle, "--testing-library", "swift-testing", "--list-tests"], deadline: .seconds(300))
        return output.lines.map { Test($0) }
    }

    private func announcement(_ items: [Item]) -> String {
        let alone = items.filter(\.isAlone).map(\.expected).reduce(0, +)
        let shared = items.filter { !$0.isAlone }.map(\.expected)
        // No shorter than the longest.
        let time = alone + max(shared.reduce(0, +) / Double(options.workers), shared.max() ?? 0)
        let tests = items.map(\.tests.count).reduce(0, +)
        let steps = items.count { $0.tests.isEmpty }
        return "\(tests) tests and \(steps) steps in \(options.workers) workers: about \(Int(time / 60) + 1) min"
    }
}
