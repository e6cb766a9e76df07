import Checkpoint
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
        holdFailure = nil
        history.forgetCaller()
        do throws(SystemError) {
            try traffic?.hold(from: cgroup?.processes() ?? [main.pid], connectionHeld)
        } catch {
            holdFailure = error
        }
    }

    var connectionHeld: () -> Void {
        { [weak self] in
            guard let self else { return }
            firstHeld = firstHeld ?? .now
            // The sockets of what is frozen are its own again once it goes on; else who it was can wait until criu works.
            let isAsleep = lifecycle.state == .asleep
            if !isAsleep { noteCaller() }
            perform(lifecycle.connectionHeld())
            if isAsleep { noteCaller() }
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
        if let holdFailure { return checkpointEnded(.failed("connections cannot be held: \(holdFailure)")) }
        let underWay = DumpUnderWay()
        dump = underWay
        CRIU.locate(context) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success where !underWay.mayGoOn: checkpointEnded(.givenUp)
            case .success(let criu): checkpoint(with: criu, underWay)
            case .failure(let error):
                checkpointEnded(error.isRefusal ? .refused(error.description) : .impossible(error.description))
            }
        }
    }

    private func checkpoint(with criu: String, _ underWay: DumpUnderWay) {
        do throws(SystemError) {
            let times = StepTimes(from: changeBegan)
            times.reached("held")
            memoryBefore = cgroup?.anonymousMemory
            let unnamed = Process.unnamedBytes(of: cgroup?.processes() ?? [main.pid])
            let kept = try KeptContainer(
                of: main.pid, keyrings: ["_ses.\(id)", id],
                inhabitedBy: runc.options.systemdCgroup ? context.children : nil)
            times.reached("kept")
            let quiet = traffic?.quietness(since: lastActivity)
            let mayEnd = try traffic?.askWhetherAnybodyWaits()
            let dump = Dump(
                criu: try snapshot.hold(criu), pid: main.pid, root: root, kept: kept, snapshot: snapshot,
                memory: (memoryBefore ?? 0) + min(unnamed, .max / 4), mayWakeLazily: mayWakeLazily, times: times)
            watch(underWay.call, "checkpoint")
            dump.run(
                underWay.call, loop: context.loop, children: context.children,
                mayGoOn: { underWay.mayGoOn && quiet?() != false },
                mayEnd: { descriptors throws(SystemError) in try mayEnd?(descriptors) != false },
                then: { [weak self] result in
                    guard let self else { return }
                    times.reached("back on the loop")
                    dumped(result)
                    times.reached("bookkeeping")
                    context.log.debug("steps of the checkpoint in µs: \(times.description)", label)
                })
        } catch {
            checkpointEnded(.failed(error.description))
        }
    }

    private func dumped(_ result: Result<Dump.Outcome, CheckpointError>) {
        endWatch()
        switch result {
        case .success(let outcome):
            dispositions = outcome.dispositions
            lazyMemory = worthwhile(outcome.lazyMemory)
            sleeper = outcome.sleeper
            checkpointEnded(.done)
        case .failure(.givenUp): checkpointEnded(.givenUp)
        case .failure(let error):
            checkpointEnded(error.isRefusal ? .refused(error.description) : .failed(error.description))
        }
    }

    private func checkpointEnded(_ outcome: Lifecycle.CheckpointOutcome) {
        dump = nil
        switch outcome {
        case .done:
            // The container was removed in the meantime, and with it the wish to restore it.
            if lifecycle.state == .exited { discardSnapshot() }
        case .givenUp: context.log.info("checkpoint given up because of traffic", label)
        case .failed(let text), .refused(let text):
            history.checkpointFailed(text)
            context.log.error("checkpoint failed, the container runs on: \(text)", label)
        case .impossible(let text): context.log.warning("the container will never sleep: \(text)", label)
        }
        if outcome == .done {
            traffic?.processesEnded(connectionHeld)
        }
        perform(lifecycle.checkpointEnded(outcome, at: Instant.now.nanoseconds))
        if lifecycle.state == .asleep {
            prepareRestore()
            // As the last thing before the loop waits: what runs after it would be mapped again.
            context.loop.soon {
                Memory.giveBack()
                Memory.unmapProgram()
            }
        }
        tellSleepers()
    }

    /// Does ahead of the wake what can be done ahead.
    private func prepareRestore() {
        guard let prestart = configuration.wake.prestart, let sleeper else { return }
        do throws(SystemError) {
            prepared = try restore(sleeper, StepTimes(from: .now)).prepare(
                prestart, children: context.children)
        } catch {
            // Then criu is started when it is needed.
            context.log.warning("cannot prepare the restore: \(error)", label)
        }
    }

    private func restore(_ sleeper: Sleeper, _ times: StepTimes) -> Restore {
        Restore(sleeper: sleeper, snapshot: snapshot, isLazy: wakesLazily, times: times)
    }

    func restore() {
        // Removed while it waited for another attempt.
        guard lifecycle.state == .restoring else { return }
        do throws(SystemError) {
            try context.wakeGate.enter(id, memory: memoryBefore ?? 0) { [weak self] in self?.restoreInTurn() }
            if context.wakeGate.isWaiting(id) {
                history.wakesInTurn += 1
                context.log.info("waits for its turn to wake", label)
                context.changed()
            }
        } catch {
            // Connections must be answered: without order rather than not at all.
            context.log.warning("the wake does not wait for others: \(error)", label)
            restoreInTurn()
        }
    }

    /// It ended while it waited for its turn: what the restore would have ended with is done here.
    func leaveWakeGate() {
        let waited = context.wakeGate.isWaiting(id)
        context.wakeGate.leave(id)
        if waited { restoreEnded(.failure(.givenUp), nil, StepTimes(from: changeBegan)) }
    }

    private func restoreInTurn() {
        changeBegan = .now
        let times = StepTimes(from: changeBegan)
        guard let sleeper else { return restoreEnded(.failure(.unusable(reason: "nothing was kept")), nil, times) }
        traffic?.stopWatching()
        // The restored init may end before we know its pid.
        let expectation = context.children.expectUnknown()
        let prepared = self.prepared.take()
        let restore = restore(sleeper, times)
        let begun: Restore.Begun
        let pages: PageServer?
        do throws(SystemError) {
            begun = try restore.begin(with: prepared, children: context.children)
        } catch {
            return restoreEnded(.failure(.notBegun(error)), nil, times)
        }
        do throws(SystemError) {
            pages =
                restore.isLazy
                ? try PageServer(sleeper.criu.path, snapshot, lazyMemory, children: context.children) : nil
        } catch {
            begun.giveUp()
            return restoreEnded(.failure(.notBegun(error)), nil, times)
        }
        let underWay = CallUnderWay()
        restoreUnderWay = underWay
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
                restoreUnderWay = nil
                withExtendedLifetime(expectation) { restoreEnded(result, pages, times) }
                times.reached("bookkeeping")
                context.log.debug("steps of the restore in µs: \(times.description)", label)
                context.loop.soon { Memory.giveBack() }
                afterRestore.take()?()
            })
        watch(underWay, "restore")
        snapshot.readAhead()
    }

    /// Those who connected are served from here on. What needs runc has to wait: it knows the processes when criu is done,
    /// and if this shim died before, `delete` finds them by their cgroups. The pid is known so that whoever was answered
    /// and asks for it is not told the old one.
    private func resuming(_ pid: pid_t) {
        main.exists(as: pid)
        perform(lifecycle.resuming())
    }

    private func restoreEnded(_ result: Result<pid_t, CheckpointError>, _ pages: PageServer?, _ times: StepTimes) {
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
            restoreAttempts = 0
            // The restore itself was work, in the container's cgroup.
            workBefore = cgroup?.processorTime.map { (.now, $0) }
            resumeRestored()
            letGoOfSleeper()
            if let pages { awaitMemory(from: pages) } else { snapshot.discardImages(context.loop) }
        case .failure where lifecycle.state == .exited:
            // It was ended while it was restored.
            letGoOfSleeper()
            discardSnapshot()
        case .failure(let error) where restoreAttempts + 1 < error.attempts:
            // Connections wait on.
            let pause = Self.restAfterFailedAttempt(restoreAttempts)
            restoreAttempts += 1
            context.log.warning("the restore is tried again in \(Int(pause.milliseconds)) ms: \(error)", label)
            context.loop.after(pause) { [self] in restore() }
        case .failure(let error):
            history.restoreFailed("\(error)")
            context.log.error("restore failed, the container ends and its images are kept: \(error)", label)
            letGoOfSleeper()
            let effects = lifecycle.restoreFailed()
            if !effects.isEmpty {
                imagesAreEvidence = true
                setImagesAside()
            }
            perform(effects)
        }
    }

    private func resumeRestored() {
        guard isPaused, lifecycle.state == .restoring else {
            return perform(lifecycle.restored(at: Instant.now.nanoseconds))
        }
        // For somebody who makes images of what is paused; all others have waited. An exit meanwhile waits as well.
        isStarting = true
        runc.pause { [self] result in
            isStarting = false
            if case .failure(let error) = result {
                context.log.error("restored, and not paused again: \(error)", label)
            }
            perform(lifecycle.restored(at: Instant.now.nanoseconds))
            if let earlyExit { perform(lifecycle.initExited(status: earlyExit.code)) }
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
