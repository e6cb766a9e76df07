import Lifecycle
import Linux
import Runc

/// Pausing. Asleep there is nothing to freeze, or it is frozen already: the container sleeps on, whoever connects, until it
/// is resumed.
extension Container {
    package func pause(_ then: @escaping Completion<Void>) {
        change(then) { [self] work in
            guard main.phase == .running else {
                return failed(work, "container \(id) has not been started", then)
            }
            if !lifecycle.state.isAsleep { return runc.pause { [self] in paused($0, work, then) } }
            if isPaused { return failed(work, "container \(id) is paused already", then) }
            paused(.success(()), work, then)
        }
    }

    package func resume(_ then: @escaping Completion<Void>) {
        change(then) { [self] work in
            if !lifecycle.state.isAsleep { return runc.resume { [self] in resumed($0, work, then) } }
            if !isPaused { return failed(work, "container \(id) is not paused", then) }
            resumed(.success(()), work, then)
        }
    }

    /// Lets `body` change the container, awake or asleep.
    func change(_ then: @escaping Completion<Void>, _ body: @escaping (Lifecycle.Work) -> Void) {
        whenSettled { result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let work): body(work)
            }
        }
    }

    private func paused(_ result: Result<Void, RuncError>, _ work: Lifecycle.Work, _ then: Completion<Void>) {
        if case .success = result {
            isPaused = true
            tell { lifecycle in
                lifecycle.paused()
                return []
            }
            context.publish(.paused(id: id))
        }
        finished(work)
        then(result.mapError(ShimError.init))
    }

    private func resumed(_ result: Result<Void, RuncError>, _ work: Lifecycle.Work, _ then: Completion<Void>) {
        if case .success = result {
            isPaused = false
            tellNow { $0.resumed(at: $1) }
            context.publish(.resumed(id: id))
        }
        finished(work)
        then(result.mapError(ShimError.init))
    }

    func failed(_ work: Lifecycle.Work, _ reason: String, _ then: Completion<Void>) {
        finished(work)
        then(.failure(ShimError(.failedPrecondition, reason)))
    }
}
