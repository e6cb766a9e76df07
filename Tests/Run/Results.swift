/// What became of tests and steps.
struct Results {
    private(set) var passed = 0
    private(set) var skipped = 0
    /// One a failure, for the end.
    private(set) var failures: [String] = []
    /// Seconds by name.
    private(set) var times: [String: Double] = [:]

    mutating func pass(_ number: Int = 1) { passed += number }
    mutating func skip(_ number: Int = 1) { skipped += number }
    mutating func fail(_ what: String) { failures.append(what) }
    mutating func took(_ name: String, _ seconds: Double) { times[name] = max(seconds, times[name] ?? 0) }

    var slowest: [(name: String, seconds: Double)] {
        times.sorted { $0.value > $1.value }.prefix(10).map { ($0.key, $0.value) }
    }
}
