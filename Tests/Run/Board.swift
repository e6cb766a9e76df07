import Foundation

/// What there is to do, and what has been done: workers take from it and report to it.
actor Board {
    private var waiting: [Item]
    private let plan: Plan
    private let workers: Int
    private let start = ContinuousClock.now
    /// Seconds by the table: of all there is, and of what has ended.
    private let expected: Double
    private var done = 0.0
    private(set) var results = Results()

    init(_ items: [Item], _ plan: Plan, workers: Int) {
        // The longest first, so that no worker begins a long one when the others are done.
        waiting = items.filter { !$0.isAlone }.sorted { $0.expected > $1.expected }
        self.plan = plan
        self.workers = workers
        // While one runs alone the other workers stand still.
        expected = items.map { $0.expected * Double($0.isAlone ? workers : 1) }.reduce(0, +)
    }

    /// The next one whose file is there; who waits for a file comes last.
    func take() -> Item? {
        let ready = waiting.firstIndex { $0.awaited.map(FileManager.default.fileExists(atPath:)) ?? true }
        return waiting.isEmpty ? nil : waiting.remove(at: ready ?? 0)
    }

    func note(_ body: @Sendable (inout Results) -> Void) { body(&results) }

    /// A test has ended, after so many seconds.
    func ended(_ test: Test, _ seconds: Double, _ mark: String) {
        results.took(test.id, seconds)
        done += plan.expected(test) * Double(plan.options.usesNodes(test) ? 1 : workers)
        tell(mark, seconds, test.id)
    }

    func ended(step: Item, _ seconds: Double, _ mark: String, _ count: String) {
        results.took(step.name, seconds)
        done += step.expected * Double(step.isAlone ? workers : 1)
        tell(mark, seconds, "\(step.name): \(count)")
    }

    func show(_ text: String) { say(text) }

    private func tell(_ mark: String, _ seconds: Double, _ what: String) {
        say("\(remaining)  \(mark) \(String(format: "%5.1f", seconds)) s  \(what)")
    }

    /// By the table, and by how fast this machine has been so far: "12:30 left".
    private var remaining: String {
        let elapsed = (ContinuousClock.now - start).seconds
        let byTable = (expected - done) / Double(workers)
        // At first the table alone.
        let pace = done > 60 ? elapsed / (done / Double(workers)) : 1
        let left = Int(max(0, byTable * pace))
        return String(format: "%3d:%02d left", left / 60, left % 60)
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Unlike `print` seen at once when the output goes into a pipe.
func say(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
