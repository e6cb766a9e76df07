import Glibc
import Lifecycle
import Linux

extension Container {
    /// Sends a signal to the init (all processes, if asked) or to an exec. A sleeping container is woken to receive it,
    /// but not for SIGKILL, which ends it where it is, nor for a signal that its init would not heed.
    package func kill(_ signal: Int32, exec: String, all: Bool, _ then: @escaping Completion<Void>) {
        let process: TaskProcess
        do throws(ShimError) { process = try self.process(exec) } catch { return then(.failure(error)) }
        if process.exit != nil {
            return then(.failure(endedAlready))
        }
        if !exec.isEmpty { return killExec(process, signal, then) }
        if signal == SIGKILL { killByForce(all: all, then) } else { send(signal, all: all, then) }
    }

    private func killByForce(all: Bool, _ then: @escaping Completion<Void>) {
        var hasEnded = false
        tell { lifecycle in
            guard let effects = lifecycle.killedByForce() else { return [] }
            hasEnded = true
            return effects
        } then: { [self] in
            if hasEnded { return then(.success(())) }
            if lifecycle.state == .frozen { killFrozen(then) } else { send(SIGKILL, all: all, then) }
        }
    }

    private func send(_ signal: Int32, all: Bool, _ then: @escaping Completion<Void>) {
        let isAsleep = lifecycle.state.isAsleep
        if case .asleep(let asleep) = stage, !all, asleep.wayBack.dispositions?.heed(signal) == false {
            return then(.success(()))
        }
        // To a paused process a signal is sent as well, and has its effect when that is resumed.
        let isPending = isAsleep && isPaused
        if isPending { then(.success(())) }
        whenAwake(for: .signal) { [self] result in
            switch result {
            case .failure:
                if !isPending { then(.failure(endedAlready)) }
            case .success(let work):
                workUnderWay.begin()
                runc.kill(signal, all) { [self] result in
                    finished(work)
                    // The process may end while runc is on its way. runc then reports an error of its own; containerd
                    // expects NotFound.
                    if !isPending { then(result.mapError { $0.kind == .notRunning ? endedAlready : ShimError($0) }) }
                    workUnderWay.end()
                }
            }
        }
    }

    private var endedAlready: ShimError { ShimError(.notFound, "process of container \(id) has ended already") }

    /// Paused or not: it ends as soon as it may go on, before it runs. The others in its cgroups end with it.
    private func killFrozen(_ then: Completion<Void>) {
        do throws(SystemError) {
            try context.outside.signal(SIGKILL, main.pid)
        } catch {
            return then(.failure(ShimError(error)))
        }
        endFrost()
        then(.success(()))
    }

    private func killExec(_ process: TaskProcess, _ signal: Int32, _ then: Completion<Void>) {
        guard process.phase == .running else {
            return then(.failure(ShimError(.failedPrecondition, "exec \(process.id) has not been started")))
        }
        do throws(SystemError) {
            try context.outside.signal(signal, process.pid)
            then(.success(()))
        } catch {
            then(.failure(error.code == ESRCH ? ShimError(.notFound, error.description) : ShimError(error)))
        }
    }
}
