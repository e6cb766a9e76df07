import Glibc
import Lifecycle
import Linux

/// Performing what the lifecycle decides.
extension Container {
    /// Something has happened. What the lifecycle makes of it is done when the present handler has returned.
    ///
    /// - Parameter then: called when that is done.
    func tell(_ event: @escaping EventQueue.Event, then: @escaping () -> Void = {}) {
        events.tell(event, then: then)
    }

    /// The same, with the present time.
    func tellNow(_ event: @escaping (inout Lifecycle, UInt64) -> [Effect], then: @escaping () -> Void = {}) {
        let now = context.loop.now.nanoseconds
        tell({ event(&$0, now) }, then: then)
    }

    /// All that has happened has been dealt with.
    func settled() {
        noteChange()
        tellSleepers()
    }

    /// Performs one effect. What becomes of it is told as an event, never by a call.
    func perform(_ effect: Effect) {
        switch effect {
        case .look(let nanoseconds): look(after: Instant.Span(nanoseconds: nanoseconds))
        case .declare(let ports): declare(ports)
        case .hold: hold()
        case .release: release()
        case .refuseConnections: traffic?.refuse()
        case .checkpoint: checkpoint()
        case .giveUpCheckpoint: if case .fallingAsleep(let attempt) = stage { attempt.wish.giveUp() }
        case .restore: restore()
        case .freeze: freeze()
        case .thaw: thaw()
        case .giveUpRestore: giveUpRestore()
        case .endProcesses: endProcesses()
        case .asleep: fellAsleep()
        case .keepImages: setImagesAside()
        case .awake:
            cancelWake()
            history.woke(tellChange("restored", by: history.caller))
        case .proceed(let work): waitingWork.removeValue(forKey: work)?(.success(work))
        case .refuse(let work): waitingWork.removeValue(forKey: work)?(.failure(notRunning))
        case .exited(let status): ended(status: status)
        }
    }

    /// `took` counts from the decision on, so for a sleep it ends when the processes are gone.
    @discardableResult
    func tellChange(_ what: String, by caller: Caller? = nil) -> Instant.Span {
        let took = Instant.now.since(changeBegan)
        let time = "\((took.milliseconds * 10).rounded() / 10)ms"
        if let caller {
            context.log.info(what, ["container": id, "took": time, "by": "\(caller)"])
        } else {
            context.log.info(what, ["container": id, "took": time])
        }
        return took
    }

    var notRunning: ShimError { ShimError(.failedPrecondition, "container \(id) is not running") }

    /// Calls back as soon as the container is awake, and keeps it awake until `finished` is called with what `body` is
    /// given. Fails if the container ends before.
    func whenAwake(
        for way: Caller.Way, thoughPaused: Bool = false, _ body: @escaping Completion<Lifecycle.Work>
    ) {
        noteCaller(Caller(way))
        request(thoughPaused ? .processesThoughPaused : .processes, body)
    }

    /// Asleep, or about to be: the caller, by default who came to its sockets, is who wakes it.
    func noteCaller(_ caller: @autoclosure () -> Caller? = nil) {
        switch lifecycle.state {
        case .checkpointing, .asleep, .frozen, .restoring, .resuming:
            if history.caller == nil, let caller = caller() ?? traffic?.caller { history.called(by: caller) }
        case .starting, .running, .thawing, .exited: break
        }
    }

    /// Calls back as soon as no checkpoint and no restore is under way, and lets none begin until `finished` is called.
    /// Never wakes the container.
    func whenSettled(_ body: @escaping Completion<Lifecycle.Work>) { request(.noChange, body) }

    private func request(_ need: Lifecycle.Need, _ body: @escaping Completion<Lifecycle.Work>) {
        lastWork += 1
        let work = lastWork
        waitingWork[work] = body
        tell { $0.request(work, need) }
    }

    func finished(_ work: Lifecycle.Work) {
        tellNow { $0.finished(work, at: $1) }
    }
}
