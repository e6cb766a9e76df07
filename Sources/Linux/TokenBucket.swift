/// How often something may be done: some times at once, and then again every so often.
package struct TokenBucket {
    private let size: Double
    private let interval: Instant.Span
    private var tokens: Double
    private var counted: Instant

    package init(_ size: Int, every interval: Instant.Span, now: Instant) {
        self.size = Double(size)
        self.interval = interval
        tokens = Double(size)
        counted = now
    }

    /// Nil if it may be done now, and then it counts as done; else how long to wait.
    package mutating func take(now: Instant) -> Instant.Span? {
        if let wait = wait(now: now) { return wait }
        tokens -= 1
        return nil
    }

    /// As `take`, and nothing counts as done.
    package mutating func wait(now: Instant) -> Instant.Span? {
        tokens = min(size, tokens + Double(now.since(counted).nanoseconds) / Double(interval.nanoseconds))
        counted = now
        if tokens >= 1 { return nil }
        return Instant.Span(nanoseconds: UInt64((1 - tokens) * Double(interval.nanoseconds)) + 1)
    }
}
