/// The life of one container, as a value: events go in, effects come out.
///
/// It does no I/O, reads no clock and knows no other module, so that every order of events can be tried in a test.
/// The caller performs the effects in the order they are given and reports what became of them as further events.
/// Times are nanoseconds of one monotonic clock.
///
/// Rules it keeps:
/// - What is led to the shim is so before a dump begins, and until the processes run again, or are about to and cannot
///   fail to.
/// - Whoever needs the container awake (a connection, an exec, a signal) wins over a checkpoint under way.
/// - A container ends once. A failed restore ends it; it never starts anew in silence.
package struct Lifecycle: Hashable, Sendable {
    package enum State: Equatable, Hashable, Sendable {
        /// Created, not started.
        case starting
        case running
        /// A dump is under way. `wanted`: somebody needs the container awake, the dump is being given up.
        case checkpointing(wanted: Bool)
        case asleep
        case restoring
        /// Asleep, with its processes: they stand still.
        case frozen
        case thawing
        case exited

        /// Nothing of it runs, and something wakes it.
        package var isAsleep: Bool { self == .asleep || self == .frozen }
    }

    /// Something that needs the running container: it is proceeded with once the container is awake, and keeps it
    /// awake until it is finished. The number is the caller's.
    package typealias Work = UInt64

    /// What a request needs of the container before it can be proceeded with.
    package enum Need: Hashable, Sendable {
        /// Running processes. Those of a container that was paused asleep have to wait for `resumed`.
        case processes
        /// Running processes, paused or not: to make images of them.
        case processesThoughPaused
        /// That it neither falls asleep nor wakes meanwhile: what can be changed while it sleeps. It never wakes.
        case noChange
    }

    package private(set) var state: State = .starting
    package private(set) var reasons: ReasonsToStayAwake
    /// The ports that traffic is expected on.
    package private(set) var ports: Set<UInt16> = []

    private let policy: Policy
    /// Proceeded with and not finished.
    private var running: Set<Work> = []
    /// Not proceeded with yet, in the order of their requests.
    private var waiting: [Waiting] = []
    private struct Waiting: Hashable {
        let work: Work
        let need: Need
    }
    /// Somebody wants it awake, and it must not wake yet: it is paused, or being changed asleep.
    private var isWanted = false
    /// Since when the container has been awake. Idleness cannot begin before.
    private var awakeSince: UInt64 = 0
    /// How long until the next look: grows while there is nothing to see.
    private var patience: UInt64
    /// Until when no checkpoint is tried, because CRIU has refused one.
    private var refusedUntil: UInt64 = 0
    /// An exit that may be the work of CRIU, which ends the processes it has dumped.
    private var undecidedExit: UInt32?
    /// It has been asleep, or frozen.
    private var hasSlept = false
    /// In the middle of a restore: the traffic has been let go already.
    private var isReleased = false

    package init(policy: Policy) {
        self.policy = policy
        patience = policy.firstLook
        reasons = ReasonsToStayAwake()
        if policy.mayEverSleep { reasons.insert(.portsUnknown) }
        for reason in policy.standingReasons { reasons.insert(reason) }
    }

    // MARK: Events of the container

    /// The container's process was started.
    package mutating func started(at now: UInt64) -> [Effect] {
        guard state == .starting else { return [] }
        state = .running
        awakeSince = now
        return policy.mayEverSleep ? [.look(after: patience)] : []
    }

    /// The init process ended. During a dump that may be CRIU's doing, which the end of the dump will tell.
    package mutating func initExited(status: UInt32) -> [Effect] {
        switch state {
        case .checkpointing:
            undecidedExit = status
            return []
        case .starting, .running, .frozen, .thawing: return end(status: status)
        case .asleep, .restoring, .exited: return []
        }
    }

    /// The container is to go, whatever it does now (delete by force, or the shim's end).
    package mutating func removed() -> [Effect] {
        switch state {
        case .exited: return []
        case .restoring: return [.giveUpRestore] + end(status: Self.killed)
        case .starting, .running, .checkpointing, .asleep, .frozen, .thawing: return end(status: Self.killed)
        }
    }

    /// A signal nobody can catch. Asleep there is no process to receive it: the container just ends. Nor is a restore
    /// waited for, which may hang.
    ///
    /// - Returns: nil if a process must be signalled; then `request` the container awake and do so.
    package mutating func killedByForce() -> [Effect]? {
        switch state {
        case .asleep: return end(status: Self.killed)
        case .restoring: return [.giveUpRestore] + end(status: Self.killed)
        case .starting, .running, .checkpointing, .frozen, .thawing, .exited: return nil
        }
    }

    // MARK: Events of time and traffic

    /// The look that `Effect.look` asked for: which ports the container listens on, when a packet was last seen, and
    /// when the newest request came that has not been answered yet; whether there is a connection, of those for whom that
    /// counts; whether the processes were at work while there were connections; which of the named ports it has never
    /// listened on; and which probe it has failed, in words.
    package mutating func looked(
        at now: UInt64, ports found: Set<UInt16>, lastActivity: UInt64, unansweredSince: UInt64? = nil,
        isConnected: Bool = false, isWorking: Bool = false, missing: Set<UInt16> = [], failing: String? = nil
    ) -> [Effect] {
        guard state == .running, policy.mayEverSleep else { return [] }
        var effects: [Effect] = []
        if found != ports {
            ports = found
            effects.append(.declare(ports: found))
        }
        if found.isEmpty && !policy.sleepsWithoutPorts {
            reasons.insert(.portsUnknown)
            patience = min(patience * 2, policy.scaleDownAfter)
            return effects + [.look(after: patience)]
        }
        reasons.remove(.portsUnknown)
        if let unansweredSince, unansweredSince + policy.longestAnswer > now {
            reasons.insert(.requestInFlight)
        } else {
            reasons.remove(.requestInFlight)
        }
        if isConnected { reasons.insert(.connected) } else { reasons.remove(.connected) }
        let idleSince = max(lastActivity, awakeSince)
        let idle = now > idleSince ? now - idleSince : 0
        // Some programs always do a little.
        reasons.remove(.working)
        reasons.remove(.computing)
        if isWorking && policy.workCounts {
            reasons.insert(.computing)
        } else if isWorking && idle < policy.longestAnswer {
            reasons.insert(.working)
        }
        let enough = hasSlept ? policy.scaleDownAfter : policy.firstScaleDownAfter
        if let failing { reasons.insert(.notReady, failing) } else { reasons.remove(.notReady) }
        if missing.isEmpty {
            reasons.remove(.portsMissing)
        } else {
            reasons.insert(.portsMissing, missing.sorted().map(String.init).joined(separator: ", "))
        }
        if idle < enough { return effects + [.look(after: enough - idle)] }
        guard let way = way(at: now) else { return effects + [.look(after: policy.scaleDownAfter)] }
        return effects + sleep(way)
    }

    /// A person wants the container asleep now, however short it has been idle.
    ///
    /// - Returns: nil if it must not be, for `reasons` or because it does not run. Nothing has to be done if it sleeps, or
    ///   is about to.
    package mutating func sleepRequested(at now: UInt64) -> [Effect]? {
        switch state {
        case .checkpointing, .asleep, .frozen: return []
        case .starting, .running, .restoring, .thawing, .exited: break
        }
        // A guess, of which a person knows better.
        reasons.remove(.working)
        reasons.remove(.computing)
        guard state == .running, policy.mayEverSleep, let way = way(at: now) else { return nil }
        if ports.isEmpty && !policy.sleepsWithoutPorts { return nil }
        return sleep(way)
    }

    /// Somebody wants something of the application: a connection, data, a datagram.
    package mutating func connectionHeld() -> [Effect] {
        wake()
    }

    /// The node lacks what a sleep needs; the text names it.
    package mutating func unable(_ text: String) {
        reasons.insert(.unable, text)
    }

    // MARK: Events of requests

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
        case .checkpointing, .asleep, .restoring, .frozen, .thawing:
            waiting.append(Waiting(work: work, need: need))
            return need == .noChange ? [] : wake()
        }
    }

    /// What `proceed` allowed is over.
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

    // MARK: Events of checkpoint and restore

    package enum CheckpointOutcome: Equatable, Sendable {
        case done
        case givenUp
        /// The container runs on; the text says why it cannot sleep.
        case failed(String)
        /// As `failed`: CRIU cannot do it.
        case refused(String)
        /// As `failed`, and trying again would be in vain.
        case impossible(String)
    }

    package mutating func checkpointEnded(_ outcome: CheckpointOutcome, at now: UInt64) -> [Effect] {
        guard case .checkpointing(let wanted) = state else { return [] }
        let exit = undecidedExit
        undecidedExit = nil
        if outcome == .done {
            reasons.remove(.checkpointFailed)
            patience = policy.firstLook
            state = .asleep
            hasSlept = true
            if wanted {
                isWanted = true
                return wakeIfWanted()
            }
            let changes = proceedWithWaiting()
            return [.asleep] + changes
        }
        // The dump did not end the processes, so an exit meanwhile was their own.
        if let exit { return end(status: exit) }
        if case .refused(let text) = outcome {
            reasons.insert(.checkpointFailed, text)
            refusedUntil = now + policy.retryAfterRefusal
            // `hold` has been performed already.
            if !wanted && way(at: now) == .freeze {
                let effects = freeze()
                return effects + proceedWithWaiting()
            }
        }
        state = .running
        awakeSince = now
        var retry = policy.scaleDownAfter
        switch outcome {
        case .done, .givenUp: break
        case .failed(let text), .refused(let text):
            reasons.insert(.checkpointFailed, text)
            retry = policy.retryAfterFailure
        case .impossible(let text):
            reasons.insert(.unable, text)
        }
        let look: [Effect] = reasons.contains(.unable) ? [] : [.look(after: retry)]
        return [.release] + proceedWithWaiting() + look
    }

    /// A restore cannot fail any more without ending the processes: they are complete, and are about to run. `restored`
    /// follows a millisecond later, for which those who connected need not wait.
    package mutating func resuming() -> [Effect] {
        // Paused ones must not run before they are paused again.
        guard state == .restoring, !isReleased, !reasons.contains(.paused) else { return [] }
        isReleased = true
        return [.release]
    }

    package mutating func restored(at now: UInt64) -> [Effect] {
        // Removed in the meantime.
        if state == .exited { return [.endProcesses] }
        guard state == .restoring else { return [] }
        let release: [Effect] = isReleased ? [] : [.release]
        isReleased = false
        state = .running
        awakeSince = now
        return release + [.awake] + proceedWithWaiting() + [.look(after: policy.scaleDownAfter)]
    }

    /// The images are kept for inspection; the container ends with a status that is not zero.
    package mutating func restoreFailed() -> [Effect] {
        guard state == .restoring else { return [] }
        return [.keepImages] + end(status: Self.restoreFailure)
    }

    // MARK: Events of freezing

    /// The processes could not be stopped, and run on.
    package mutating func freezeFailed(_ text: String, at now: UInt64) -> [Effect] {
        guard state == .frozen else { return [] }
        reasons.insert(.checkpointFailed, text)
        state = .running
        awakeSince = now
        return [.release] + proceedWithWaiting() + [.look(after: policy.retryAfterFailure)]
    }

    package mutating func thawed(at now: UInt64) -> [Effect] {
        guard state == .thawing else { return [] }
        state = .running
        awakeSince = now
        return [.release] + proceedWithWaiting() + [.look(after: policy.scaleDownAfter)]
    }

    // MARK: Inside

    /// Exit status of a container that SIGKILL ended: 128 + 9.
    private static let killed: UInt32 = 137
    /// Exit status of a container that could not be restored.
    package static let restoreFailure: UInt32 = 255

    /// In which way the container may fall asleep; nil if it must stay awake.
    private func way(at now: UInt64) -> Policy.Ways? {
        let mayFreeze = policy.ways.contains(.freeze) && reasons.allowFreezing
        let mayCheckpoint = policy.ways.contains(.checkpoint) && reasons.allowCheckpoint
        if mayCheckpoint && (now >= refusedUntil || !mayFreeze) { return .checkpoint }
        return mayFreeze ? .freeze : nil
    }

    private mutating func sleep(_ way: Policy.Ways) -> [Effect] {
        if way == .freeze { return [.hold] + freeze() }
        state = .checkpointing(wanted: false)
        return [.hold, .checkpoint]
    }

    private mutating func freeze() -> [Effect] {
        patience = policy.firstLook
        state = .frozen
        hasSlept = true
        return [.freeze]
    }

    private mutating func wake() -> [Effect] {
        switch state {
        case .checkpointing(wanted: false):
            state = .checkpointing(wanted: true)
            return [.giveUpCheckpoint]
        case .asleep, .frozen:
            isWanted = true
            return wakeIfWanted()
        case .starting, .running, .checkpointing(wanted: true), .restoring, .thawing, .exited: return []
        }
    }

    /// Wanted, and nothing but a change under way stands against it.
    private var isWantedNow: Bool {
        isWanted
            && (!reasons.contains(.paused) || waiting.contains { $0.need == .processesThoughPaused })
    }

    private mutating func wakeIfWanted() -> [Effect] {
        guard state.isAsleep, isWantedNow, running.isEmpty else { return [] }
        isWanted = false
        let isFrozen = state == .frozen
        state = isFrozen ? .thawing : .restoring
        return [isFrozen ? .thaw : .restore]
    }

    private mutating func run(_ work: Work) {
        running.insert(work)
        if policy.mayEverSleep { reasons.insert(.busy) }
    }

    /// Asleep, with those who need no more.
    private mutating func proceedWithWaiting() -> [Effect] {
        let proceeding = waiting.filter { state == .running || $0.need == .noChange }
        waiting.removeAll { proceeding.contains($0) }
        for waiting in proceeding { run(waiting.work) }
        return proceeding.map { .proceed($0.work) }
    }

    private mutating func end(status: UInt32) -> [Effect] {
        let refused = waiting
        waiting = []
        let held = state != .running && state != .starting && !isReleased
        (state, isReleased) = (.exited, false)
        return (held ? [.refuseConnections] : []) + refused.map { .refuse($0.work) } + [.exited(status: status)]
    }
}
