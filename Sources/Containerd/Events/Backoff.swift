import Linux

/// Pauses between attempts: each twice as long as the one before, up to a limit.
struct Backoff {
    /// containerd's restart takes about a second; nobody waits for the first event after it longer than need be.
    private static let first = Instant.Span.milliseconds(100)
    private static let longest = Instant.Span.seconds(10)

    private var pause = first

    mutating func next() -> Instant.Span {
        defer { pause = min(Instant.Span(nanoseconds: pause.nanoseconds * 2), Self.longest) }
        return pause
    }
}
