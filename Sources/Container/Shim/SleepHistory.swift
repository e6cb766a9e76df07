import Linux

/// What sleeping has been like for one container so far. For people and for metrics; nothing is decided by it.
package struct SleepHistory {
    package internal(set) var checkpoints = DurationRecord()
    package internal(set) var restores = DurationRecord()
    /// From the arrival of the connection that woke the container to its handing over.
    package internal(set) var wakes = DurationRecord()
    /// How often it was frozen, and how often it was thawed again.
    package internal(set) var freezes: UInt64 = 0
    package internal(set) var thaws: UInt64 = 0
    /// How often its wake had to wait for those of others.
    package internal(set) var wakesInTurn: UInt64 = 0
    package internal(set) var lastFreeze: WallClockTime?
    package internal(set) var lastThaw: WallClockTime?
    package internal(set) var checkpointErrors: UInt64 = 0
    package internal(set) var restoreErrors: UInt64 = 0
    package internal(set) var lastCheckpoint: WallClockTime?
    package internal(set) var lastRestore: WallClockTime?
    /// The last failure, with CRIU's last lines.
    package internal(set) var lastError = ""
    /// Bytes that the processes had in memory when they fell asleep; nil while they are there.
    package internal(set) var memoryGivenBack: UInt64?

    /// Since when the container has been in its state.
    package internal(set) var since = WallClockTime.now

    /// How often each way woke it.
    package internal(set) var wakesByWay: [Caller.Way: UInt64] = [:]
    package internal(set) var lastWake: Caller?
    /// Who wants it awake, while it sleeps or is about to.
    private(set) var caller: Caller?

    /// When the connection came that wakes it.
    private var firstHeld: Instant?

    /// The peer whose connection, of those that were open at the last look, was used last.
    package internal(set) var lastUser: Caller?

    /// If several call, the first counts as the one who wakes it.
    mutating func called(by caller: Caller) { self.caller = self.caller ?? caller }

    /// The container is about to sleep: earlier callers do not matter any more.
    mutating func forgetCaller() { caller = nil }

    mutating func connectionHeld(at now: Instant) { firstHeld = firstHeld ?? now }

    mutating func connectionsReleased(at now: Instant) {
        if let held = firstHeld.take() { wakes.add(now.since(held)) }
    }

    private mutating func wokenByCaller() {
        let caller = self.caller ?? Caller(.other)
        wakesByWay[caller.way, default: 0] += 1
        lastWake = caller
        self.caller = nil
    }

    mutating func slept(_ took: Instant.Span) {
        checkpoints.add(took)
        lastCheckpoint = .now
    }

    mutating func froze() {
        freezes += 1
        lastFreeze = .now
    }

    mutating func thawed() {
        thaws += 1
        lastThaw = .now
        wokenByCaller()
        memoryGivenBack = nil
    }

    mutating func woke(_ took: Instant.Span) {
        restores.add(took)
        lastRestore = .now
        wokenByCaller()
        memoryGivenBack = nil
    }

    mutating func checkpointFailed(_ text: String) {
        checkpointErrors += 1
        lastError = text
    }

    mutating func restoreFailed(_ text: String) {
        restoreErrors += 1
        lastError = text
    }
}

/// Durations, counted in buckets.
package struct DurationRecord {
    /// Upper limits in milliseconds: from a wake that was prepared to a restore of gigabytes from a cold disk.
    package static let limits: [UInt64] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000]

    package private(set) var count: UInt64 = 0
    package private(set) var sum = Instant.Span(nanoseconds: 0)
    package private(set) var last = Instant.Span(nanoseconds: 0)
    /// How many were at most as long as each limit. Empty until there is one: most containers of a node sleep and wake
    /// seldom.
    package private(set) var cumulative: [UInt64] = []

    mutating func add(_ span: Instant.Span) {
        if cumulative.isEmpty { cumulative = Self.limits.map { _ in 0 } }
        count += 1
        sum = Instant.Span(nanoseconds: sum.nanoseconds + span.nanoseconds)
        last = span
        for (index, limit) in Self.limits.enumerated() where span <= .milliseconds(limit) { cumulative[index] += 1 }
    }
}
