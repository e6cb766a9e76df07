import Checkpoint
import Lifecycle
import Linux

/// Falling asleep: processes become images.
extension Container {
    func checkpoint() {
        guard case .fallingAsleep(let attempt) = stage else {
            return checkpointEnded(.failed("connections are not held"))
        }
        if let failure = attempt.holdFailure {
            return checkpointEnded(.failed("connections cannot be held: \(failure)"))
        }
        do throws(SystemError) {
            let times = StepTimes(from: changeBegan)
            let shares = cgroup.map { ProcessorShares(of: $0, isInPod: spec.sandboxID != nil) }
            let order = try order(attempt, times)
            let watch = watch(order.underWay, "checkpoint")
            context.outside.checkpoint(order) { [weak self] result in
                guard let self else { return }
                watch.end()
                times.reached("back on the loop")
                dumped(result, attempt, shares)
                times.reached("bookkeeping")
                context.log.debug("steps of the checkpoint in µs: \(times.description)", label)
            }
        } catch {
            checkpointEnded(.failed(error.description))
        }
    }

    private func order(_ attempt: SleepAttempt, _ times: StepTimes) throws(SystemError) -> CheckpointOrder {
        let quiet = traffic?.quietness(since: lastActivity)
        let mayEnd = try traffic?.askWhetherAnybodyWaits()
        return CheckpointOrder(
            container: id, pid: main.pid, root: root, cgroup: cgroup, isInScope: runc.options.systemdCgroup,
            snapshot: snapshot, memory: attempt.memory ?? 0, mayWakeLazily: mayWakeLazily(attempt.memory),
            clock: configuration.clock, times: times, underWay: CallUnderWay(),
            mayGoOn: { [wish = attempt.wish] in wish.holds && quiet?() != false },
            mayEnd: { endpoints throws(SystemError) in try mayEnd?(endpoints) != false },
            notCharged: { [self] error in
                if !hasToldOfAccount { context.log.warning("criu works on the shim's account: \(error)", label) }
                hasToldOfAccount = true
            })
    }

    private func dumped(
        _ result: Result<WayBack, CheckpointError>, _ attempt: SleepAttempt, _ shares: ProcessorShares?
    ) {
        switch result {
        case .success(let wayBack):
            stage = .asleep(
                Asleep(
                    wayBack: wayBack, isLazy: isWorthwhile(wayBack.lazyMemory, of: attempt.memory),
                    memory: attempt.memory, shares: shares))
            traffic?.processesEnded(connectionHeld)
            tellNow { $0.checkpointEnded(.done, at: $1) }
        case .failure(let error): checkpointEnded(Lifecycle.CheckpointOutcome(error))
        }
    }

    /// The processes run on.
    private func checkpointEnded(_ outcome: Lifecycle.CheckpointOutcome) {
        switch outcome {
        case .done: break
        case .givenUp: context.log.info("checkpoint given up because of traffic", label)
        case .failed(let text), .refused(let text):
            history.checkpointFailed(text)
            context.log.error("checkpoint failed, the container runs on: \(text)", label)
        case .impossible(let text): context.log.warning("the container will never sleep: \(text)", label)
        }
        stage = .awake(nil)
        // The attempt itself was work on the container's account.
        work.begin(at: context.loop.now, used: cgroup?.processorTime)
        tellNow { $0.checkpointEnded(outcome, at: $1) }
    }

    func fellAsleep() {
        history.slept(tellChange("scaled down"))
        if case .asleep(let asleep) = stage {
            history.memoryGivenBack = asleep.memory.map { $0 - min($0, cgroup?.anonymousMemory ?? 0) }
            prepareRestore(asleep)
            scheduleWake(asleep.wayBack)
        }
        giveMemoryBack(andProgram: true)
    }

    /// As the last thing before the loop waits: what runs after it would be mapped again.
    func giveMemoryBack(andProgram: Bool) {
        context.loop.soon { [giveBack = context.outside.giveMemoryBack] in giveBack(andProgram) }
    }

    /// Does ahead of the wake what can be done ahead.
    private func prepareRestore(_ asleep: Asleep) {
        guard let prestart = configuration.wake.prestart else { return }
        do throws(SystemError) {
            try asleep.wayBack.prepare(prestart, asleep.isLazy)
        } catch {
            // Then criu is started when it is needed.
            context.log.warning("cannot prepare the restore: \(error)", label)
        }
    }
}

extension Lifecycle.CheckpointOutcome {
    fileprivate init(_ error: CheckpointError) {
        switch error {
        case .givenUp: self = .givenUp
        case .unusable: self = .impossible(error.description)
        case _ where error.isRefusal: self = .refused(error.description)
        default: self = .failed(error.description)
        }
    }
}
