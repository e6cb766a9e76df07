import Checkpoint
import Glibc
import Linux
import Runc

extension Container {
    /// Removes an ended exec. Gives how it ended.
    package func deleteExec(_ exec: String, _ then: @escaping Completion<(pid: pid_t, exit: TaskProcess.Exit)>) {
        guard let process = execs[exec] else {
            return then(.failure(ShimError(.notFound, "exec \(exec) of container \(id) not found")))
        }
        if process.phase == .running || process.isBeingStarted {
            return then(.failure(ShimError(.failedPrecondition, "exec \(exec) of container \(id) is running")))
        }
        // One that was added and never started has no end; containerd asks all the same.
        let exit = process.exit ?? TaskProcess.Exit(status: 0)
        close(process) { [self] in
            execs[exec] = nil
            pendingExecs[exec] = nil
            then(.success((process.pid, exit)))
        }
    }

    /// Removes the container and everything that it was made of.
    package func delete(_ then: @escaping Completion<(pid: pid_t, exit: TaskProcess.Exit)>) {
        if main.phase == .running {
            return then(.failure(ShimError(.failedPrecondition, "container \(id) is running")))
        }
        // Draining takes its time, and containerd may ask again meanwhile.
        deletions.append(then)
        if deletions.count > 1 { return }
        func answer(_ result: Result<(pid: pid_t, exit: TaskProcess.Exit), ShimError>) {
            let waiting = deletions
            deletions = []
            for then in waiting { then(result) }
        }
        // A container that was created and never started has an init that waits; runc ends it.
        tell(
            { $0.removed() },
            then: { [self] in
                outOfMemory = nil
                workUnderWay.whenDone { [self] in removeEverything(answer) }
            })
    }

    private func removeEverything(
        _ answer: @escaping (Result<(pid: pid_t, exit: TaskProcess.Exit), ShimError>) -> Void
    ) {
        runc.delete { [self] result in
            if case .failure(let error) = result, error.kind != .containerNotFound {
                return answer(.failure(ShimError(error)))
            }
            if let cgroup { DumpAccount.removeLeft(beside: cgroup, container: id) }
            // Only now are all who may write gone, in a shared process namespace too.
            close(main) { [self] in
                traffic?.close()
                traffic = nil
                do throws(SystemError) {
                    try Mounting.unmountAll(root)
                } catch {
                    return answer(.failure(ShimError(error)))
                }
                let exit = main.exit ?? TaskProcess.Exit(status: 0)
                context.publish(.deleted(id: id, process: "", pid: main.pid, exit: exit))
                answer(.success((main.pid, exit)))
            }
        }
    }

    /// Calls back when everything a process wrote has been passed on.
    private func close(_ process: TaskProcess, _ then: @escaping () -> Void) {
        guard let io = process.io else { return then() }
        io.close(then)
    }
}
