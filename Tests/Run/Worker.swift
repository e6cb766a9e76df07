import Commands
import Foundation

/// Runs items one after another. Its number is part of the names of its test nodes (Tests/Node/common.sh), so that workers
/// have each their own.
struct Worker: Sendable {
    let number: Int
    let board: Board
    let options: Options

    /// When the run is interrupted what it is at comes to its end, so that its nodes end with it.
    func run() async throws {
        while !Task.isCancelled, let item = await board.take() { try await run(item) }
    }

    func run(_ item: Item) async throws {
        let log = options.directory.appending(path: "worker-\(number).log")
        let events = options.directory.appending(path: "worker-\(number).events")
        let start = ContinuousClock.now
        switch item.work {
        case .tests(let tests):
            let run = try TestRun(tests, EventFile(events), board)
            let status = try await run.follow {
                try await execute(command(for: tests, events), item, log)
            }
            if await run.conclude(status) == false { await board.show(failureText(item, log)) }
        case .step(let command):
            let status = try await execute(command, item, log)
            let counted = Count(lastLineOf: log, status)
            await board.note { results in
                results.pass(counted.passed)
                results.skip(counted.skipped)
                for _ in 0..<counted.failed { results.fail(item.name) }
            }
            let time = (ContinuousClock.now - start).seconds
            await board.ended(step: item, time, counted.failed == 0 ? "✔" : "✘", counted.text)
            if counted.failed > 0 { await board.show(failureText(item, log)) }
        }
        try keep(log, of: item)
    }

    /// Output goes into a file: what a test leaves running holds nothing that this would wait for.
    private func execute(_ command: String, _ item: Item, _ log: URL) async throws -> Int32 {
        let script = """
            export ZEROPOD_TEST_WORKER=\(number)
            exec >'\(log.path())' 2>&1
            \(command)
            """
        // timeout(1) says 124 for what took too long, and Command takes that for an error of its own.
        do {
            return try await Command.run(["bash", "-c", script], deadline: item.limit, expecting: nil).status
        } catch let error as CommandFailed {
            return error.output.status
        }
    }

    private func command(for tests: [Test], _ events: URL) -> String {
        let filters = Set(tests.map(\.id)).sorted().map { "--filter '^\(NSRegularExpression.escapedPattern(for: $0))'" }
        return """
            exec '\(options.bundle)' --testing-library swift-testing --no-parallel \
            --event-stream-version 0 --event-stream-output-path '\(events.path())' \(filters.joined(separator: " "))
            """
    }

    /// What the process said, less a line for each test.
    private func failureText(_ item: Item, _ log: URL) -> String {
        let text = (try? String(decoding: Data(contentsOf: log), as: UTF8.self)) ?? "no log"
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("◇") && !$0.hasPrefix("✔") }
        return "=== \(item.name) failed; it said\n\(lines.joined(separator: "\n"))\n=== end of \(item.name)"
    }

    /// All of what was said, for later: build/test/NAME.log.
    private func keep(_ log: URL, of item: Item) throws {
        let name = item.name.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
        let kept = options.directory.appending(path: "\(String(name)).log")
        try? FileManager.default.removeItem(at: kept)
        try FileManager.default.moveItem(at: log, to: kept)
    }
}
