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
        /// A dump is under way. `wanted`: somebody needs the container awake, the dump is being given up. `exit`: the init
        /// has ended meanwhile with this status, which may be the work of CRIU, which ends the processes it has dumped.
        case checkpointing(wanted: Bool, exit: UInt32? = nil)
        case asleep
        case restoring
        /// The processes are complete and about to run, and the traffic has been let go already.
        case resuming
        /// Asleep, with its processes: they stand still.
        case frozen
        case thawing
        case exited

        /// Nothing of it runs, and something wakes it.
        package var isAsleep: Bool { self == .asleep || self == .frozen }

        /// CRIU makes images of its processes.
        package var isBeingCheckpointed: Bool {
            if case .checkpointing = self { true } else { false }
        }

        /// CRIU makes processes of its images.
        package var isBeingRestored: Bool { self == .restoring || self == .resuming }
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
        /// That the container neither falls asleep nor wakes meanwhile: the request changes something that can be
        /// changed asleep. Such a request never wakes it.
        case noChange
    }

    package internal(set) var state: State = .starting
    package internal(set) var reasons: ReasonsToStayAwake
    /// The ports that traffic is expected on.
    package internal(set) var ports: Set<UInt16> = []

    let policy: Policy
    /// Requests that were proceeded with and are not finished.
    var running: Set<Work> = []
    /// Requests that were not proceeded with yet, in their order.
    var waiting: [Waiting] = []
    struct Waiting: Hashable {
        let work: Work
        let need: Need
    }
    /// Somebody wants it awake, and it must not wake yet: it is paused, or being changed asleep.
    var isWanted = false
    /// Since when the container has been awake. Idleness cannot begin before.
    var awakeSince: UInt64 = 0
    var startedAt: UInt64 = 0
    /// How long until the next look: grows while there is nothing to see.
    var patience: UInt64
    /// Until when no checkpoint is tried, because CRIU has refused one.
    var refusedUntil: UInt64 = 0
    /// The container has been asleep, or frozen.
    var hasSlept = false

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
        (startedAt, awakeSince) = (now, now)
        return policy.mayEverSleep ? [.look(after: patience)] : []
    }

    /// The init process ended. During a dump that may be CRIU's doing, which the end of the dump will tell.
    package mutating func initExited(status: UInt32) -> [Effect] {
        switch state {
        case .checkpointing(let wanted, _):
            state = .checkpointing(wanted: wanted, exit: status)
            return []
        case .starting, .running, .frozen, .thawing: return end(status: status)
        case .asleep, .restoring, .resuming, .exited: return []
        }
    }

    /// The container is to go. One that runs, or sleeps, has to end before.
    package mutating func removed() -> [Effect] { state == .starting ? end(status: Self.killed) : [] }

    /// A signal nobody can catch. Asleep there is no process to receive it: the container just ends. Nor is a restore
    /// waited for, which may hang.
    ///
    /// - Returns: nil if a process must be signalled; then `request` the container awake and do so.
    package mutating func killedByForce() -> [Effect]? {
        switch state {
        case .asleep: return end(status: Self.killed)
        case .restoring, .resuming: return [.giveUpRestore] + end(status: Self.killed)
        case .starting, .running, .checkpointing, .frozen, .thawing, .exited: return nil
        }
    }

    // MARK: Events of time and traffic

    /// The look that `Effect.look` asked for.
    ///
    /// - Parameters:
    ///   - found: the ports that count, on which the container listens.
    ///   - lastActivity: when a packet was last seen that counts as use.
    ///   - unansweredSince: when the newest request came that has not been answered yet; nil: there is none.
    ///   - isConnected: a connection is open, and the container is one that open connections keep awake.
    ///   - isWorking: the processes were at work, and a connection is open or work alone keeps the container awake.
    ///   - isBusy: the processes were at work, with connections or without.
    ///   - missing: named ports on which the container has never listened yet.
    ///   - failing: the probe that the application has failed last, in words; nil: none, or not looked for.
    package mutating func looked(
        at now: UInt64, ports found: Set<UInt16>, lastActivity: UInt64, unansweredSince: UInt64? = nil,
        isConnected: Bool = false, isWorking: Bool = false, isBusy: Bool = false, missing: Set<UInt16> = [],
        failing: String? = nil
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
        let enough = hasSlept ? policy.scaleDownAfter : policy.firstScaleDownAfter
        // Some programs always do a little.
        for reason in Reason.work { reasons.remove(reason) }
        if isWorking && policy.workCounts {
            reasons.insert(.computing)
        } else if isWorking && idle < policy.longestAnswer {
            reasons.insert(.working)
        } else if isBusy && !hasSlept && idle >= enough && now < startedAt + policy.longestStart {
            let limit = policy.longestStart / 1_000_000_000
            reasons.insert(.startUnderWay, "it may when they are done, or have run for \(limit) s")
        }
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
        case .starting, .running, .restoring, .resuming, .thawing, .exited: break
        }
        // A guess, of which a person knows better.
        for reason in Reason.work { reasons.remove(reason) }
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

    // MARK: Inside

    /// Exit status of a container that SIGKILL ended: 128 + 9.
    static let killed: UInt32 = 137
    /// Exit status of a container that could not be restored.
    package static let restoreFailure: UInt32 = 255

    /// In which way the container may fall asleep; nil if it must stay awake.
    func way(at now: UInt64) -> Policy.Ways? {
        let mayFreeze = policy.ways.contains(.freeze) && reasons.allowFreezing
        let mayCheckpoint = policy.ways.contains(.checkpoint) && reasons.allowCheckpoint
        if mayCheckpoint && (now >= refusedUntil || !mayFreeze) { return .checkpoint }
        return mayFreeze ? .freeze : nil
    }

    mutating func sleep(_ way: Policy.Ways) -> [Effect] {
        if way == .freeze { return [.hold] + freeze() }
        state = .checkpointing(wanted: false)
        return [.hold, .checkpoint]
    }

    mutating func freeze() -> [Effect] {
        patience = policy.firstLook
        reasons.remove(.freezeFailed)
        state = .frozen
        hasSlept = true
        return [.freeze]
    }

    mutating func end(status: UInt32) -> [Effect] {
        let refused = waiting
        waiting = []
        let held = ![.starting, .running, .resuming].contains(state)
        state = .exited
        return (held ? [.refuseConnections] : []) + refused.map { .refuse($0.work) } + [.exited(status: status)]
    }
}
