import Foundation

/// What is told after the last test, and written down for the next run.
struct Report {
    let options: Options
    let results: Results
    let durations: Durations

    func write(known tests: [Test]) throws {
        say("\nthe slowest:")
        for (name, seconds) in results.slowest { say(String(format: "%8.1f s  ", seconds) + name) }
        let late = try lateAgain()
        if !late.isEmpty { say("\nslower than twice their time in Tests/durations, and so they were the last time:") }
        for name in late { say("  \(name): \(format(results.times[name])), not \(format(durations[name]))") }
        if !options.skipped.isEmpty { say("\nleft out, and counted as skipped:") }
        for what in options.skipped { say("  \(what)") }
        if !results.failures.isEmpty { say("\nfailed:") }
        for failure in results.failures { say("  \(failure)") }
        try writeDurations(known: tests)
        // .ci/test adds what is left on the machine.
        let count = "\(results.passed) \(results.failures.count) \(results.skipped + options.skipped.count)\n"
        try count.write(to: options.directory.appending(path: "count"), atomically: true, encoding: .utf8)
    }

    private func format(_ seconds: Double?) -> String { String(format: "%.1f s", seconds ?? 0) }

    /// `make durations` takes what was measured into the checkout.
    private func writeDurations(known tests: [Test]) throws {
        var all = durations
        for (name, seconds) in results.times { all[name] = seconds }
        let names = Set(tests.map(\.id) + options.steps.map(\.name)).union(results.times.keys)
        try all.write(to: options.directory.appending(path: "durations"), known: names)
    }

    /// Tests that took more than twice as long as they should, now and in the run before. One run may have had a busy
    /// machine.
    private func lateAgain() throws -> [String] {
        let late = results.times.filter { name, seconds in
            durations[name].map { seconds > 2 * $0 + 2 } ?? false
        }.keys.sorted()
        try FileManager.default.createDirectory(at: options.cache, withIntermediateDirectories: true)
        let file = options.cache.appending(path: "late-tests")
        let before = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
        try late.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        return late.filter(before.contains)
    }
}
