import Lifecycle
import Linux

/// What the container tells of itself, and what a person may ask it to do.
extension Container {
    package var state: Lifecycle.State { lifecycle.state }

    /// containerd's namespace that it is in.
    package var namespace: String { context.namespace }

    /// Why it does not sleep now, one reason a line.
    package var reasonsToStayAwake: [String] {
        if context.wakeGate.isWaiting(id) {
            return ["it waits for its turn: as many containers are waking as this node or its memory allows"]
        }
        let isResting = mayNotSleepUntil.map { $0 > .now } ?? false
        return lifecycle.reasons.descriptions + (isResting ? [hasSleptTooOften] : []) + whatMayBeProbes
    }

    /// Nanoseconds without use until it sleeps.
    var idleTime: Instant.Span { Instant.Span(nanoseconds: configuration.scaleDownAfter) }

    /// Use that cannot be told from probes, and comes so often that the container does not sleep.
    private var whatMayBeProbes: [String] {
        guard lifecycle.state == .running, configuration.scaleDownAfter > 0 else { return [] }
        var found: [String] = []
        if execRhythm.goesOn(at: .now, within: idleTime) {
            found.append(
                "commands are run in it again and again: let an exec probe be an HTTP, TCP or gRPC one, or its period"
                    + " longer than scaledown-duration")
        }
        if let (port, time) = traffic?.lastTLS, Instant.now.since(time) < idleTime {
            found.append(
                "the node speaks TLS to port \(port): let an HTTPS probe be an HTTP or TCP one, or its period longer than"
                    + " scaledown-duration")
        }
        return found
    }

    /// When a packet of one of its ports was last seen, and which (0: one on which nobody listens); nil if none has been, and while it sleeps.
    package var lastUse: (port: UInt16, at: WallClockTime)? {
        guard lifecycle.state == .running, let activity = traffic?.activity(of: Set(lifecycle.ports)) else {
            return nil
        }
        var times = activity.times.merging(activity.datagramTimes, uniquingKeysWith: max)
        times[0] = activity.refused
        guard let (port, time) = times.max(by: { $0.value < $1.value }), time > 0 else { return nil }
        let (now, age) = (WallClockTime.now, Instant.now.since(Instant(nanoseconds: time)).nanoseconds)
        return (port, WallClockTime(seconds: now.seconds - Int64(age / 1_000_000_000), nanoseconds: now.nanoseconds))
    }

    /// Nanoseconds without a packet after which it sleeps.
    package var scaleDownAfter: UInt64 { configuration.scaleDownAfter }

    /// How often its wake had to wait for others of the node, since the start.
    package var wakesInTurn: UInt64 { history.wakesInTurn }
    package var waitsForItsTurn: Bool { context.wakeGate.isWaiting(id) }

    package var watchedPorts: [UInt16] { lifecycle.ports.sorted() }

    /// Bytes on disk.
    package var imageBytes: UInt64 {
        lifecycle.state == .asleep || comingMemory != nil ? snapshot.size : 0
    }

    /// Since the start: connections that waited for a wake, and probes that were answered without one.
    package var trafficCounts: (held: UInt64, probesAnswered: UInt64) { traffic?.counts ?? (0, 0) }

    /// Connections that are open while it sleeps.
    package var connectionsKept: Int { lifecycle.state == .asleep ? traffic?.connectionsKept ?? 0 : 0 }

    /// How it gets the connections that come while it sleeps.
    package var firstConnections: FirstConnections { traffic?.firstConnections ?? FirstConnections() }

    /// Kubernetes' names, empty where Kubernetes did not make the container.
    package var names: (podNamespace: String, pod: String, podUID: String, container: String) {
        (spec.podNamespace ?? "", spec.podName ?? "", spec.podUID ?? "", spec.containerName ?? "")
    }

    /// Puts the container to sleep without waiting for its idle time to pass. Fails with the reasons if it must stay
    /// awake, or if a connection arrives meanwhile.
    package func sleepNow(_ then: @escaping Completion<Void>) {
        // Its processes may have answered already, before criu is done.
        if lifecycle.state.isBeingRestored || lifecycle.state == .thawing {
            return whenAwake(for: .command) { [self] result in
                guard case .success(let work) = result else { return then(result.map { _ in }) }
                finished(work)
                sleepNow(then)
            }
        }
        let traffic = lifecycle.state == .running ? self.traffic : nil
        if traffic?.learnProbes({ [self] in decideSleep(traffic, then) }) != true { decideSleep(traffic, then) }
    }

    private func decideSleep(_ traffic: Traffic?, _ then: @escaping Completion<Void>) {
        // What stood in the way at the last look may be gone, so another one is taken. It knows the last packet: one
        // that comes after it gives the checkpoint up.
        let look = traffic.map(takeLook)
        let now = Instant.now.nanoseconds
        var isRefused = false
        tell { lifecycle in
            let effects = look?(&lifecycle, traffic?.probeFailure) ?? []
            guard let more = lifecycle.sleepRequested(at: now) else {
                isRefused = true
                return effects
            }
            return effects + more
        } then: { [self] in
            if !isRefused { return sleepers.append(then) }
            let reasons = lifecycle.reasons.descriptions.joined(separator: "; ")
            then(.failure(ShimError(.failedPrecondition, reasons.isEmpty ? "it is not running" : reasons)))
        }
    }

    /// Answers those who asked for a sleep, once it is known.
    func tellSleepers() {
        if case .checkpointing = lifecycle.state { return }
        let waiting = sleepers
        sleepers = []
        for then in waiting {
            if lifecycle.state.isAsleep {
                then(.success(()))
            } else {
                let last = history.lastError
                let reason = lifecycle.reasons.haveFailure ? last : "somebody needed it meanwhile"
                then(.failure(ShimError(.unavailable, "it did not fall asleep: \(reason)")))
            }
        }
    }

    /// Answers once the container is awake. Its idle time begins anew.
    package func wakeNow(for way: Caller.Way = .command, _ then: @escaping Completion<Void>) {
        if isPaused && lifecycle.state.isAsleep {
            return then(.failure(ShimError(.failedPrecondition, "it is paused: it wakes when it is resumed")))
        }
        whenAwake(for: way) { [self] result in
            if case .success(let work) = result { finished(work) }
            then(result.map { _ in })
        }
    }

    /// Tells watchers if something has changed that they see.
    func noteChange() {
        let view = (lifecycle.state, lifecycle.reasons)
        if view.0 == lastTold.state && view.1 == lastTold.reasons { return }
        if view.0 != lastTold.state { history.since = .now }
        lastTold = (view.0, view.1)
        context.changed()
    }
}
