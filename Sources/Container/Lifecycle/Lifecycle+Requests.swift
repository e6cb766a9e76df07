/// Requests: callers that need the container.
extension Lifecycle {
    /// Somebody needs the container. Answered with `proceed` or `refuse`, now or later.
    package mutating func request(_ work: Work, _ need: Need = .processes) -> [Effect] {
        switch state {
        case .exited: return [.refuse(work)]
        case .starting, .running:
            run(work)
            return [.proceed(work)]
        case .asleep where need == .noChange && !isWantedNow, .frozen where need == .noChange && !isWantedNow:
            run(work)
            return [.proceed(work)]
        case .checkpointing, .asleep, .restoring, .resuming, .frozen, .thawing:
            waiting.append(Waiting(work: work, need: need))
            return need == .noChange ? [] : wake()
        }
    }

    /// The work that `proceed` allowed is over.
    package mutating func finished(_ work: Work, at now: UInt64) -> [Effect] {
        guard running.remove(work) != nil else { return [] }
        // Work is activity: the container is idle from its end on.
        awakeSince = max(awakeSince, now)
        guard running.isEmpty else { return [] }
        reasons.remove(.busy)
        return wakeIfWanted()
    }

    package mutating func paused() {
        reasons.insert(.paused)
    }

    package mutating func resumed(at now: UInt64) -> [Effect] {
        awakeSince = max(awakeSince, now)
        reasons.remove(.paused)
        return wakeIfWanted()
    }

    mutating func wake() -> [Effect] {
        switch state {
        case .checkpointing(wanted: false, let exit):
            state = .checkpointing(wanted: true, exit: exit)
            return [.giveUpCheckpoint]
        case .asleep, .frozen:
            isWanted = true
            return wakeIfWanted()
        case .starting, .running, .checkpointing(wanted: true, _), .restoring, .resuming, .thawing, .exited: return []
        }
    }

    /// Wanted, and nothing but a change under way stands against it.
    var isWantedNow: Bool {
        isWanted
            && (!reasons.contains(.paused) || waiting.contains { $0.need == .processesThoughPaused })
    }

    mutating func wakeIfWanted() -> [Effect] {
        guard state.isAsleep, isWantedNow, running.isEmpty else { return [] }
        isWanted = false
        let isFrozen = state == .frozen
        state = isFrozen ? .thawing : .restoring
        return [isFrozen ? .thaw : .restore]
    }

    mutating func run(_ work: Work) {
        running.insert(work)
        if policy.mayEverSleep { reasons.insert(.busy) }
    }

    /// Proceeds with every waiting request whose need is met: all of them when running, only `.noChange` when asleep.
    mutating func proceedWithWaiting() -> [Effect] {
        let proceeding = waiting.filter { state == .running || $0.need == .noChange }
        waiting.removeAll { proceeding.contains($0) }
        for waiting in proceeding { run(waiting.work) }
        return proceeding.map { .proceed($0.work) }
    }
}
