package struct NeverHappened: Error, CustomStringConvertible {
    package let what: String
    package let deadline: Duration
    package let last: String

    package var description: String { "\(what): not within \(deadline). Last seen: \(last)" }
}

/// Asks again every few milliseconds until there is an answer, for what announces itself to nobody. Only what hangs meets the
/// deadline: a machine may be slow.
package func eventually<Answer>(
    _ what: String, within deadline: Duration = .seconds(60), every interval: Duration = .milliseconds(20),
    _ ask: () async throws -> Answer?
) async throws -> Answer {
    let end = ContinuousClock.now + deadline
    var last = "nothing"
    while ContinuousClock.now < end {
        do {
            if let answer = try await ask() { return answer }
            last = "not yet so"
        } catch {
            last = "\(error)"
        }
        try await Task.sleep(for: interval)
    }
    throw NeverHappened(what: what, deadline: deadline, last: last)
}

/// The same for a condition.
package func eventually(
    _ what: String, within deadline: Duration = .seconds(60), every interval: Duration = .milliseconds(20),
    holds: () async throws -> Bool
) async throws {
    try await eventually(what, within: deadline, every: interval) { try await holds() ? () : nil }
}
