/// What was measured, and what went wrong.
struct Counts: Sendable {
    /// Seconds from connect(2) to the first byte of an answer for which the container had to wake; by whether its part of the
    /// processors had been lowered.
    var wakes: [Bool: [Double]] = [:]
    /// The same of probes.
    var probes: [Double] = []
    /// Of clients, by container.
    var calls: [String: Int] = [:]
    var errors: [String: Int] = [:]

    mutating func add(_ other: Counts) {
        wakes.merge(other.wakes, uniquingKeysWith: +)
        probes += other.probes
        calls.merge(other.calls, uniquingKeysWith: +)
        errors.merge(other.errors, uniquingKeysWith: +)
    }

    var verdict: [String] {
        var problems = errors.map { "\($0.value) times \($0.key)" }
        guard let scaled = wakes[true], let unscaled = wakes[false] else {
            return problems + ["too few wakes were seen: let it take longer"]
        }
        // Were its part of the processors not given back, a wake would take many times as long.
        if Self.quantile(0.5, scaled) > 2 * Self.quantile(0.5, unscaled) {
            problems.append("half of the wakes of scaled pods take more than twice as long as those of unscaled ones")
        }
        return problems
    }

    /// - Parameter load: /proc/loadavg at the end.
    func table(load: String) -> String {
        let rows = [
            ("wakes of scaled pods", wakes[true] ?? []), ("wakes of unscaled pods", wakes[false] ?? []),
            ("probes", probes),
        ]
        let median = Self.quantile(0.5, wakes[false] ?? [])
        let slowest = Self.quantile(0.99, wakes[true] ?? [])
        return
            (["ms, from connect to the first byte; load \(load)"]
            + rows.map { name, times in
                "\(name): \(times.count), median \(Self.milliseconds(Self.quantile(0.5, times)))"
                    + ", p99 \(Self.milliseconds(Self.quantile(0.99, times)))"
            } + [
                "p99 of a scaled pod's wake by the median of an unscaled one's: "
                    + (median > 0 ? "\((slowest / median * 10).rounded() / 10)" : "not known")
            ]).joined(separator: "\n")
    }

    private static func quantile(_ part: Double, _ times: [Double]) -> Double {
        if times.isEmpty { return 0 }
        return times.sorted()[min(times.count - 1, Int(Double(times.count) * part))]
    }

    private static func milliseconds(_ seconds: Double) -> String { "\(Int((seconds * 1000).rounded()))" }
}
