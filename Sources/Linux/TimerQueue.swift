/// Names a pending timer of an event loop.
package struct Timer: Hashable, Sendable {
    fileprivate let number: UInt64
}

/// The timers of an event loop. There are a handful (one a container), so a plain array is the right heap.
struct TimerQueue {
    private struct Entry {
        let timer: Timer
        let deadline: Instant
        let body: () -> Void
    }

    private var entries: [Entry] = []
    private var count: UInt64 = 0

    var next: Instant? { entries.map(\.deadline).min() }

    mutating func add(at deadline: Instant, _ body: @escaping () -> Void) -> Timer {
        count += 1
        let timer = Timer(number: count)
        entries.append(Entry(timer: timer, deadline: deadline, body: body))
        return timer
    }

    mutating func cancel(_ timer: Timer) {
        entries.removeAll { $0.timer == timer }
    }

    /// Takes the earliest timer that is due, if there is one. One at a time: it may cancel the next.
    mutating func takeNext(dueAt now: Instant) -> (() -> Void)? {
        let earliest = entries.indices.min { entries[$0].deadline < entries[$1].deadline }
        guard let earliest, entries[earliest].deadline <= now else { return nil }
        return entries.remove(at: earliest).body
    }
}
