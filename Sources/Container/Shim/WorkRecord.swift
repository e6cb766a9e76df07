import Linux

/// Whether the processes of a container are at work: whether they have used more than a fiftieth of a processor from one look
/// at them to the next. What an answer takes to compute, and what a start takes, shows nowhere else.
struct WorkRecord {
    /// How much had been used when that was looked at.
    private var before: (at: Instant, used: Instant.Span)?

    /// Less is what it takes to wait.
    private static let least = Instant.Span.milliseconds(10)
    /// Looks may follow each other at once: of a shorter time it cannot be told.
    private static let shortest = Instant.Span.milliseconds(500)

    /// What was used before does not count.
    ///
    /// - Parameter used: by all processes since the start; nil where no controller tells.
    mutating func begin(at now: Instant, used: Instant.Span?) { before = used.map { (now, $0) } }

    /// - Parameter used: as in `begin`.
    mutating func isAtWork(at now: Instant, used: Instant.Span?) -> Bool {
        guard let used, let before else {
            begin(at: now, used: used)
            return false
        }
        let span = now.since(before.at)
        if span >= Self.shortest { begin(at: now, used: used) }
        return used.nanoseconds > before.used.nanoseconds + max(span.nanoseconds / 50, Self.least.nanoseconds)
    }
}
