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
        isStarting = true
        runc.start { [self] result in
            isStarting = false
            switch result {
            case .failure(let error): then(.failure(ShimError(error)))
            case .success:
                main.started()
                context.publish(.started(id: id, pid: main.pid))
                perform(lifecycle.started(at: Instant.now.nanoseconds))
                then(.success(main.pid))
            }
            if let earlyExit { perform(lifecycle.initExited(status: earlyExit.code)) }
        }
    }

    private func startExec(_ exec: String, _ then: @escaping Completion<pid_t>) {
        guard let process = execs[exec], let specification = pendingExecs.removeValue(forKey: exec) else {
            return then(.failure(ShimError(.notFound, "exec \(exec) of container \(id) not found")))
        }
        whenAwake { [self] result in
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
            guard let io = process.io else { return then(.failure(error)) }
            io.close { then(.failure(error)) }
        }
        do throws(SystemError) {
            process.io = try makeIO(process.streams)
        } catch {
            return failed(ShimError(error))
        }
        process.io?.whenReady { [self] result in
            if case .failure(let error) = result { return failed(ShimError(error)) }
            runc.exec(process: specification, streams(of: process)) { [self] result in
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
        context.publish(.execStarted(id: id, exec: process.id, pid: pid))
        context.children.whenEnded(pid) { [self] status in
            finished(work)
            process.io?.processEnded()
            process.exited(status: status.code)
            if let exit = process.exit {
                context.publish(.exited(id: id, process: process.id, pid: pid, exit: exit))
            }
        }
    }

    /// What shells answer when a program could not be run.
    private static let execFailure: UInt32 = 127
}
