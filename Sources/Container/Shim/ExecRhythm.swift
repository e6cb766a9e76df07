import Linux

/// Whether commands are run in the container again and again, sooner than it may fall asleep: as by an exec probe.
struct ExecRhythm {
    private var last: Instant?
    private var row = 0

    /// So many may be one person's.
    private static let fewest = 3

    mutating func ran(at now: Instant, within span: Instant.Span) {
        row = last.map { now.since($0) < span } ?? false ? row + 1 : 1
        last = now
    }

    func goesOn(at now: Instant, within span: Instant.Span) -> Bool {
        row >= Self.fewest && (last.map { now.since($0) < span } ?? false)
    }
}
