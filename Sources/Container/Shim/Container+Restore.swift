import Checkpoint
import Glibc
import Lifecycle
import Linux

/// Waking up: images become processes.
extension Container {
    func restore() {
        if case .asleep(let asleep) = stage { stage = .waking(WakeAttempt(asleep)) }
        // In another stage, the container was removed while it waited for another attempt.
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

    /// The container has ended, and nobody waits for its restore any more.
    func giveUpRestore() {
        guard case .waking(let attempt) = stage else { return }
        attempt.call?.end()
        // A restore that still waits for its turn does not begin, so its end is told here.
        let waited = context.wakeGate.isWaiting(id)
        context.wakeGate.leave(id)
        if waited { restoreEnded(.failure(.givenUp), attempt) }
    }

    private func restoreInTurn(_ attempt: WakeAttempt) {
        changeBegan = .now
        let times = StepTimes(from: changeBegan)
        traffic?.stopWatching()
        if attempt.asleep.shares?.giveBack() == true {
            context.log.info("has its part of the processors back, which was lowered while it slept", label)
        }
        // The restored init may end before we know its pid.
        let expectation = context.children.expectUnknown()
        let underWay = CallUnderWay()
        attempt.call = underWay
        workUnderWay.begin()
        let order = RestoreOrder(
            // After a failure the restore is tried without lazy memory.
            isLazy: attempt.failures == 0 && attempt.asleep.isLazy, times: times, underWay: underWay,
            aboutToRun: { [endpoints = traffic?.endpoints] in endpoints?.aboutToRun() },
            resuming: { [self] pid in
                resuming(pid)
                times.reached("released")
            })
        var watch: CRIUWatch?
        attempt.asleep.wayBack.restore(order) { [self] result in
            times.reached("back on the loop")
            watch?.end()
            attempt.call = nil
            withExtendedLifetime(expectation) { restoreEnded(result, attempt) }
            times.reached("bookkeeping")
            context.log.debug("steps of the restore in µs: \(times.description)", label)
            giveMemoryBack(andProgram: false)
            // The processes of a container that was removed meanwhile are ended first.
            tell({ _ in [] }, then: { [self] in workUnderWay.end() })
        }
        // After criu has been started, which is what a wake begins with.
        watch = self.watch(underWay, "restore")
    }

    /// Clients that have connected are served from here on. Calls that need runc have to wait: runc knows the processes
    /// when criu is done, and if this shim died before, `delete` finds them by their cgroups. The pid is known so that
    /// whoever was answered and asks for it is not told the old one.
    private func resuming(_ pid: pid_t) {
        main.exists(as: pid)
        tell { $0.resuming() }
    }

    private func restoreEnded(_ result: Result<Restored, CheckpointError>, _ attempt: WakeAttempt) {
        context.wakeGate.leave(id)
        switch result {
        case .success(let restored): isBack(restored, attempt)
        case .failure where lifecycle.state == .exited:
            // The container was ended while it was restored.
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
            letGo(attempt, .failed)
            tell { $0.restoreFailed() }
        }
    }

    private func isBack(_ restored: Restored, _ attempt: WakeAttempt) {
        main.exists(as: restored.pid)
        awaitExit(of: restored.pid)
        do throws(SystemError) {
            try runc.adopt(restored.pid)
        } catch {
            // The application runs and is served; exec and update would not find it.
            context.log.error("runc's state does not know the restored process: \(error)", label)
        }
        // The restore itself was work, in the container's cgroup.
        work.begin(at: context.loop.now, used: cgroup?.processorTime)
        resumeRestored()
        let memory = restored.pages.map(ComingMemory.init)
        letGo(attempt, lifecycle.state == .exited ? .ended : .awake(memory))
        if let memory { awaitMemory(memory) } else { snapshot.discardImages(context.loop) }
    }

    /// What the processes had open is theirs again, or nobody's.
    private func letGo(_ attempt: WakeAttempt, _ next: Stage) {
        letGo(of: attempt.asleep.wayBack)
        stage = next
    }

    private func resumeRestored() {
        func tellRestored(then: @escaping () -> Void = {}) {
            tellNow({ $0.restored(at: $1) }, then: then)
        }
        guard isPaused, lifecycle.state.isBeingRestored else { return tellRestored() }
        // For somebody who makes images of what is paused; all others have waited. An exit meanwhile waits as well, and so
        // does a deletion.
        heldExit = .notYet
        workUnderWay.begin()
        runc.pause { [self] result in
            if case .failure(let error) = result {
                context.log.error("restored, and not paused again: \(error)", label)
            }
            tellRestored { [self] in workUnderWay.end() }
            tellHeldExit()
        }
    }

    /// Most of what is in the way is over in a moment, and the rest in seconds.
    private static func restAfterFailedAttempt(_ number: Int) -> Instant.Span {
        .milliseconds(min(300 << UInt64(number), 10_000))
    }

    /// Processes came back for a container that had been removed while it was restored.
    func endProcesses() {
        try? context.outside.signal(SIGKILL, main.pid)
        discardSnapshot()
    }
}
