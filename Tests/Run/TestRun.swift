import Foundation

/// One process of the test bundle: what it was to run, and what has become of that.
actor TestRun {
    private var file: EventFile
    private let board: Board
    /// Those that have not ended, each with when it began.
    private var open: [Test: Double?]
    private var failed = 0

    init(_ tests: [Test], _ file: EventFile, _ board: Board) {
        self.file = file
        self.board = board
        open = Dictionary(tests.map { ($0, nil) }) { first, _ in first }
    }

    /// Reads events for as long as `process` runs, and to their end.
    func follow(_ process: @Sendable @escaping () async throws -> Int32) async throws -> Int32 {
        let running = Task { try await process() }
        let following = Task {
            while !Task.isCancelled {
                try await read()
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
        let status = try await running.value
        following.cancel()
        _ = await following.result
        try await read()
        return status
    }

    /// What has not ended has failed, and so has a process that says so, whatever its tests have said.
    /// - Returns: whether all is well.
    func conclude(_ status: Int32) async -> Bool {
        for (test, began) in open.sorted(by: { $0.key.id < $1.key.id }) {
            let how = began == nil ? "was not run" : "did not end"
            failed += 1
            await board.note { $0.fail("\(test.id): \(how); the process ended with status \(status)") }
        }
        if status != 0, failed == 0 {
            failed += 1
            await board.note { $0.fail("a process of tests ended with status \(status), and no test failed") }
        }
        return failed == 0
    }

    private func read() async throws {
        for event in try file.next() where event.kind == "event" { await take(event.payload) }
    }

    private func take(_ event: Event.Payload) async {
        guard let test = event.testID.map({ Test($0) }), let began = open[test] else { return await takeOfSuite(event) }
        let now = event.instant?.absolute ?? 0
        switch event.kind {
        case "testStarted": open[test] = .some(now)
        case "testSkipped":
            open[test] = nil
            await board.note { $0.skip() }
            await board.ended(test, 0, "–")
        case "testEnded":
            open[test] = nil
            let isFailure = event.messages?.contains { $0.symbol == "fail" } ?? true
            if isFailure { failed += 1 }
            await board.note { isFailure ? $0.fail(test.id) : $0.pass() }
            await board.ended(test, now - (began ?? now), isFailure ? "✘" : "✔")
        case "issueRecorded": await show(event)
        default: break
        }
    }

    /// What fails in a suite, such as something that is left on its node, is nobody's test.
    private func takeOfSuite(_ event: Event.Payload) async {
        guard event.kind == "issueRecorded", let suite = event.testID else { return }
        failed += 1
        await board.note { $0.fail("\(suite): \(event.messages?.first?.text ?? "")") }
        await show(event)
    }

    private func show(_ event: Event.Payload) async {
        for message in event.messages ?? [] { await board.show("    \(message.text)") }
    }
}
