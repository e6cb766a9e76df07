import Glibc
import Lifecycle
import Linux
import Runc
import StdIO

extension Container {
    /// Starts the created init, or an added exec. Gives the pid.
    package func start(exec: String, _ then: @escaping Completion<pid_t>) {
        if exec.isEmpty { startMain(then) } else { startExec(exec, then) }
    }

    private func startMain(_ then: @escaping Completion<pid_t>) {
        guard main.phase == .created else {
            return then(.failure(ShimError(.failedPrecondition, "container \(id) has been started already")))
        }
        if let origin { return startRestored(from: origin, then) }
        // An init that ends at once may have ended before runc, which started it. Its start is told first.
        heldExit = .notYet
        runc.start { [self] result in
            switch result {
            case .failure(let error): then(.failure(ShimError(error)))
            case .success: started(then)
            }
            tellHeldExit()
        }
    }

    private func started(_ then: Completion<pid_t>) {
        main.started()
        // The first look may come only when it has been idle for long enough, as on a busy node.
        work.begin(at: context.loop.now, used: cgroup?.processorTime)
        context.publish(.started(id: id, pid: main.pid))
        tellNow { $0.started(at: $1) }
        then(.success(main.pid))
    }

    /// From images that a Checkpoint call has made: `runc restore` is create and start in one.
    private func startRestored(from origin: Shim.Origin, _ then: @escaping Completion<pid_t>) {
        runc.restore(origin.images, origin.workDirectory, streams(of: main)) { [self] result in
            switch result {
            case .failure(let error): then(.failure(ShimError(error)))
            case .success(let pid):
                take(pid)
                started(then)
                awaitExit(of: pid)
            }
        }
    }

    private func startExec(_ exec: String, _ then: @escaping Completion<pid_t>) {
        // Asleep and paused it would wait for somebody to resume the container.
        if isPaused {
            return then(.failure(ShimError(.failedPrecondition, "cannot exec in a paused container: \(id)")))
        }
        guard let process = execs[exec], let specification = pendingExecs.removeValue(forKey: exec) else {
            return then(.failure(ShimError(.notFound, "exec \(exec) of container \(id) not found")))
        }
        whenAwake(for: .exec) { [self] result in
            switch result {
            case .failure(let error): then(.failure(error))
            case .success(let work):
                // Deleted while it waited for the container to wake.
                guard execs[exec] === process else {
                    finished(work)
                    return then(.failure(ShimError(.notFound, "exec \(exec) of container \(id) not found")))
                }
                run(process, specification, work, then)
            }
        }
    }

    private func run(
        _ process: TaskProcess, _ specification: [UInt8], _ work: Lifecycle.Work, _ then: @escaping Completion<pid_t>
    ) {
        func failed(_ error: ShimError) {
            finished(work)
            process.exited(status: Self.execFailure)
            // What runc has written into the streams is in the answer, too, and clients read it only when they have that.
            process.io.take()?.close {}
            then(.failure(error))
        }
        do throws(SystemError) {
            process.io = try makeIO(process.streams)
        } catch {
            return failed(ShimError(error))
        }
        process.io?.whenReady { [self] result in
            if case .failure(let error) = result { return failed(ShimError(error)) }
            runc.exec(specification, streams(of: process)) { [self] result in
                switch result {
                case .failure(let error): failed(ShimError(error))
                case .success(let pid):
                    running(process, pid, work)
                    then(.success(pid))
                }
            }
        }
    }

    private func running(_ process: TaskProcess, _ pid: pid_t, _ work: Lifecycle.Work) {
        process.io?.release()
        process.exists(as: pid)
        process.started()
        execRhythm.ran(at: .now, within: idleTime)
        context.publish(.execStarted(id: id, exec: process.id, pid: pid))
        context.children.whenEnded(pid) { [self] status in
            finished(work)
            process.io?.processEnded()
            process.exited(status: status.code) { exit in
                context.publish(.exited(id: id, process: process.id, pid: pid, exit: exit))
            }
        }
    }

    /// What shells answer when a program could not be run.
    private static let execFailure: UInt32 = 127
}
