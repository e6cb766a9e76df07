import Linux

/// How long to wait before the next attempt.
enum Backoff {
    private static let first: UInt64 = 100

    /// Doubles from a tenth of a second to half a minute, and lies by chance between half of that and all of it: after
    /// an outage not all nodes come at the same moment.
    /// - Parameter longest: milliseconds.
    static func delay(afterFailures failures: Int, longest: UInt64 = 30_000) -> Instant.Span {
        let limit = min(first << UInt64(min(max(failures, 0), 16)), longest)
        return .milliseconds(.random(in: limit / 2...limit))
    }
}
