import Checkpoint
import DataPath
import Glibc
import Lifecycle
import Linux
import Runc
import Synchronization

/// A checkpoint under way, as the thread that makes it and the loop share it.
final class DumpUnderWay: Sendable {
    private let isWanted = Mutex(true)
    let call = CallUnderWay()

    func giveUp() { isWanted.withLock { $0 = false } }
    var mayGoOn: Bool { isWanted.withLock { $0 } }
}

/// Falling asleep and waking up.
extension Container {
    /// From here on the shim takes what may be probes, and what it relays. Without that there must be no checkpoint.
    func hold() {
        changeBegan = .now
        mayNotSleepUntil = nil
        _ = traffic?.pod.sleeps.take(now: .now)
        history.forgetCaller()
        var failure: SystemError?
        do throws(SystemError) {
            try traffic?.hold(from: try cgroup?.processes() ?? [main.pid], connectionHeld)
        } catch {
            failure = error
        }
        stage = .fallingAsleep(SleepAttempt(memory: cgroup?.anonymousMemory, holdFailure: failure))
    }

    var connectionHeld: () -> Void {
        { [weak self] in
            guard let self else { return }
            firstHeld = firstHeld ?? .now
            // The sockets of what is frozen are its own again once it goes on; else who it was can wait until criu works.
            let isAsleep = lifecycle.state == .asleep
            if !isAsleep { noteCaller() }
            tell {
                $0.connectionHeld()
            } then: { [self] in
                if isAsleep { noteCaller() }
            }
        }
    }

    func release() {
        traffic?.release()
        if let firstHeld { history.wakes.add(Instant.now.since(firstHeld)) }
        firstHeld = nil
    }

    func refuseConnections() {
        traffic?.refuse()
    }

    func checkpoint() {
        guard case .fallingAsleep(let attempt) = stage else {
            return checkpointEnded(.failed("connections are not held"))
        }
        if let failure = attempt.holdFailure {
            return checkpointEnded(.failed("connections cannot be held: \(failure)"))
        }
        let underWay = DumpUnderWay()
        attempt.dump = underWay
        CRIU.locate(context) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success where !underWay.mayGoOn: checkpointEnded(.givenUp)
            case .success(let criu): checkpoint(with: criu, attempt, underWay)
            case .failure(let error):
                checkpointEnded(error.isRefusal ? .refused(error.description) : .impossible(error.description))
            }
        }
    }

    private func checkpoint(with criu: String, _ attempt: SleepAttempt, _ underWay: DumpUnderWay) {
        do throws(SystemError) {
            let times = StepTimes(from: changeBegan)
            times.reached("held")
            sharesBefore = cgroup.map { ProcessorShares(of: $0, isInPod: spec.sandboxID != nil) }
            let unnamed = Process.unnamedBytes(of: try cgroup?.processes() ?? [main.pid])
            let kept = try KeptContainer(
                of: main.pid, keyrings: ["_ses.\(id)", id],
                inhabitedBy: runc.options.systemdCgroup ? context.children : nil)
            times.reached("kept")
            let quiet = traffic?.quietness(since: lastActivity)
            let mayEnd = try traffic?.askWhetherAnybodyWaits()
            let dump = Dump(
                criu: try snapshot.hold(criu), pid: main.pid, root: root, kept: kept, snapshot: snapshot,
                memory: (attempt.memory ?? 0) + min(unnamed, .max / 4), mayWakeLazily: mayWakeLazily(attempt.memory),
                clock: configuration.clock, times: times)
            watch(underWay.call, "checkpoint")
            dump.run(
                underWay.call, loop: context.loop, children: context.children,
                mayGoOn: { underWay.mayGoOn && quiet?() != false },
                loss: { pids throws(SystemError) in try TaskIterator.loss(of: pids) },
                mayEnd: { descriptors throws(SystemError) in try mayEnd?(descriptors) != false },
                then: { [weak self] result in
                    guard let self else { return }
                    times.reached("back on the loop")
                    dumped(result, attempt)
                    times.reached("bookkeeping")
                    context.log.debug("steps of the checkpoint in µs: \(times.description)", label)
                })
        } catch {
            checkpointEnded(.failed(error.description))
        }
    }

    private func dumped(_ result: Result<Dump.Outcome, CheckpointError>, _ attempt: SleepAttempt) {
        endWatch()
        switch result {
        // The container was removed in the meantime, and with it the wish to restore it.
        case .success(let outcome) where lifecycle.state == .exited:
            outcome.sleeper.descriptors.close()
            stage = .ended
            discardSnapshot()
        case .success(let outcome):
            stage = .asleep(
                Asleep(
                    sleeper: outcome.sleeper, dispositions: outcome.dispositions,
                    lazyMemory: worthwhile(outcome.lazyMemory, of: attempt.memory), memory: attempt.memory))
            traffic?.processesEnded(connectionHeld)
            tellCheckpointEnded(.done)
        case .failure(.givenUp): checkpointEnded(.givenUp)
        case .failure(let error):
            checkpointEnded(error.isRefusal ? .refused(error.description) : .failed(error.description))
        }
    }

    /// The processes run on, unless the container has been removed in the meantime.
    private func checkpointEnded(_ outcome: Lifecycle.CheckpointOutcome) {
        switch outcome {
        case .done: break
        case .givenUp: context.log.info("checkpoint given up because of traffic", label)
        case .failed(let text), .refused(let text):
            history.checkpointFailed(text)
            context.log.error("checkpoint failed, the container runs on: \(text)", label)
        case .impossible(let text): context.log.warning("the container will never sleep: \(text)", label)
        }
        if lifecycle.state == .exited {
            stage = .ended
            discardSnapshot()
        } else {
            stage = .awake
        }
        tellCheckpointEnded(outcome)
    }

    private func tellCheckpointEnded(_ outcome: Lifecycle.CheckpointOutcome) {
        let now = Instant.now.nanoseconds
        tell { $0.checkpointEnded(outcome, at: now) }
    }

    func fellAsleep() {
        history.slept(tellChange("scaled down"))
        if case .asleep(var asleep) = stage {
            history.memoryGivenBack = asleep.memory.map { $0 - min($0, cgroup?.anonymousMemory ?? 0) }
            asleep.prepared = prepareRestore(asleep)
            stage = .asleep(asleep)
            scheduleWake(asleep.sleeper)
        }
        // As the last thing before the loop waits: what runs after it would be mapped again.
        context.loop.soon {
            Memory.giveBack()
            Memory.unmapProgram()
        }
    }

    /// Does ahead of the wake what can be done ahead.
    private func prepareRestore(_ asleep: Asleep) -> CRIUService? {
        guard let prestart = configuration.wake.prestart else { return nil }
        do throws(SystemError) {
            return try restore(asleep, isLazy: asleep.lazyMemory.size > 0, StepTimes(from: .now)).prepare(
                prestart, children: context.children)
        } catch {
            // Then criu is started when it is needed.
            context.log.warning("cannot prepare the restore: \(error)", label)
            return nil
        }
    }

    private func restore(_ asleep: Asleep, isLazy: Bool, _ times: StepTimes) -> Restore {
        Restore(sleeper: asleep.sleeper, snapshot: snapshot, isLazy: isLazy, times: times)
    }

    func restore() {
        if case .asleep(let asleep) = stage { stage = .waking(WakeAttempt(asleep)) }
        // Else it was removed while it waited for another attempt.
        guard case .waking(let attempt) = stage else { return }
        do throws(SystemError) {
            try context.wakeGate.enter(
                id, memory: attempt.asleep.memory ?? 0, room: { [cgroup] in cgroup?.memoryLeftByParents ?? .max },
                then: { [weak self] in self?.restoreInTurn(attempt) })
            if context.wakeGate.isWaiting(id) {
                history.wakesInTurn += 1
                context.log.info("waits for its turn to wake", label)
                context.changed()
            }
        } catch {
            // Connections must be answered: without order rather than not at all.
            context.log.warning("the wake does not wait for others: \(error)", label)
            restoreInTurn(attempt)
        }
    }

    /// It ended while it waited for its turn: what the restore would have ended with is done here.
    func leaveWakeGate() {
        let waited = context.wakeGate.isWaiting(id)
        context.wakeGate.leave(id)
        if waited, case .waking(let attempt) = stage { restoreEnded(.failure(.givenUp), attempt, nil) }
    }

    private func restoreInTurn(_ attempt: WakeAttempt) {
        changeBegan = .now
        let times = StepTimes(from: changeBegan)
        traffic?.stopWatching()
        if sharesBefore?.giveBack() == true {
            context.log.info("has its part of the processors back, which was lowered while it slept", label)
        }
        // The restored init may end before we know its pid.
        let expectation = context.children.expectUnknown()
        let prepared = attempt.asleep.prepared.take()
        // One that could not begin lazily is tried the plain way.
        let lazyMemory = attempt.asleep.lazyMemory
        let restore = restore(attempt.asleep, isLazy: attempt.failures == 0 && lazyMemory.size > 0, times)
        let begun: Restore.Begun
        let pages: PageServer?
        do throws(SystemError) {
            begun = try restore.begin(with: prepared, children: context.children)
        } catch {
            return restoreEnded(.failure(.notBegun(error)), attempt, nil)
        }
        do throws(SystemError) {
            pages =
                restore.isLazy
                ? try PageServer(attempt.asleep.sleeper.criu.path, snapshot, lazyMemory, children: context.children)
                : nil
        } catch {
            begun.giveUp()
            return restoreEnded(.failure(.notBegun(error)), attempt, nil)
        }
        let underWay = CallUnderWay()
        attempt.call = underWay
        workUnderWay.begin()
        restore.run(
            underWay, begun, pages: pages, loop: context.loop, children: context.children,
            aboutToRun: { [endpoints = traffic?.endpoints] in endpoints?.aboutToRun() },
            resuming: { [self] pid in
                resuming(pid)
                times.reached("released")
            },
            then: { [self] result in
                times.reached("back on the loop")
                endWatch()
                attempt.call = nil
                withExtendedLifetime(expectation) { restoreEnded(result, attempt, pages) }
                times.reached("bookkeeping")
                context.log.debug("steps of the restore in µs: \(times.description)", label)
                context.loop.soon { Memory.giveBack() }
                // The processes of a container that was removed meanwhile are ended first.
                tell({ _ in [] }, then: { [self] in workUnderWay.end() })
            })
        watch(underWay, "restore")
        snapshot.readAhead()
    }

    /// Those who connected are served from here on. What needs runc has to wait: it knows the processes when criu is done,
    /// and if this shim died before, `delete` finds them by their cgroups. The pid is known so that whoever was answered
    /// and asks for it is not told the old one.
    private func resuming(_ pid: pid_t) {
        main.exists(as: pid)
        tell { $0.resuming() }
    }

    private func restoreEnded(
        _ result: Result<pid_t, CheckpointError>, _ attempt: WakeAttempt, _ pages: PageServer?
    ) {
        context.wakeGate.leave(id)
        if case .failure = result { pages?.end() }
        switch result {
        case .success(let pid):
            pageServer = pages
            main.exists(as: pid)
            awaitExit(of: pid)
            do throws(SystemError) {
                try RuncState.adopt(pid, root: runc.options.root, container: id)
            } catch {
                // The application runs and is served; exec and update would not find it.
                context.log.error("runc's state does not know the restored process: \(error)", label)
            }
            // The restore itself was work, in the container's cgroup.
            workBefore = cgroup?.processorTime.map { (.now, $0) }
            resumeRestored()
            letGo(attempt, lifecycle.state == .exited ? .ended : .awake)
            if let pages { awaitMemory(from: pages) } else { snapshot.discardImages(context.loop) }
        case .failure where lifecycle.state == .exited:
            // It was ended while it was restored.
            letGo(attempt, .ended)
            discardSnapshot()
        case .failure(let error) where attempt.failures + 1 < error.attempts:
            // Connections wait on.
            let pause = Self.restAfterFailedAttempt(attempt.failures)
            attempt.failures += 1
            context.log.warning("the restore is tried again in \(Int(pause.milliseconds)) ms: \(error)", label)
            context.loop.after(pause) { [self] in restore() }
        case .failure(let error):
            history.restoreFailed("\(error)")
            context.log.error("restore failed, the container ends and its images are kept: \(error)", label)
            letGo(attempt, .ended)
            tell { $0.restoreFailed() }
        }
    }

    /// What the processes had open is theirs again, or nobody's.
    private func letGo(_ attempt: WakeAttempt, _ next: Stage) {
        letGo(of: attempt.asleep.sleeper)
        stage = next
    }

    private func resumeRestored() {
        func tellRestored(then: @escaping () -> Void = {}) {
            let now = Instant.now.nanoseconds
            tell({ $0.restored(at: now) }, then: then)
        }
        guard isPaused, lifecycle.state == .restoring else { return tellRestored() }
        // For somebody who makes images of what is paused; all others have waited. An exit meanwhile waits as well, and so
        // does a deletion.
        isStarting = true
        workUnderWay.begin()
        runc.pause { [self] result in
            isStarting = false
            if case .failure(let error) = result {
                context.log.error("restored, and not paused again: \(error)", label)
            }
            tellRestored { [self] in workUnderWay.end() }
            if let earlyExit { tell { $0.initExited(status: earlyExit.code) } }
        }
    }

    /// Most of what is in the way is over in a moment, and the rest in seconds.
    private static func restAfterFailedAttempt(_ number: Int) -> Instant.Span {
        .milliseconds(min(300 << UInt64(number), 10_000))
    }

    func setImagesAside() {
        do throws(SystemError) {
            let (place, removed) = try snapshot.setAside(in: "\(context.paths.snapshots)/failed", as: id)
            context.log.error("the images are in \(place)", label)
            if !removed.isEmpty {
                context.log.warning(
                    "older images of failed restores were removed: \(removed.joined(separator: " "))", label)
            }
        } catch {
            context.log.error("the images stay in \(snapshot.directory): \(error)", label)
        }
    }

    func discardSnapshot() {
        do throws(SystemError) {
            try snapshot.remove()
        } catch {
            context.log.warning("cannot remove the images: \(error)", label)
        }
    }

    /// Processes came back for a container that had been removed while it was restored.
    func endProcesses() {
        try? Process.signal(SIGKILL, to: main.pid)
        discardSnapshot()
    }
}
