import DataPath
import Glibc
import Lifecycle
import Linux

/// What is there only while the processes stand still.
struct Frost {
    let thaw: Outside.Thaw
    /// Copies of their sockets, which tell that somebody wants something of them. They go before the processes do.
    let sockets: [SharedDescriptor]
    /// Memory on its way to swap.
    let pageOut: PageOut
}

/// The other way of sleeping, for what CRIU cannot dump: the processes stay, and stand still. They cost no processor time,
/// and their memory goes to swap where there is some.
extension Container {
    func freeze() {
        // After a checkpoint that CRIU refused, the time counts from its beginning.
        do throws(SystemError) {
            if case .fallingAsleep(let attempt) = stage, let failure = attempt.holdFailure { throw failure }
            guard let cgroup else { throw SystemError("find", "the control groups of \(id)", code: ENOENT) }
            let thaw = try context.outside.freeze(cgroup)
            do throws(SystemError) {
                let pids = try cgroup.processes()
                // Now that nothing changes any more.
                let sockets = try Process.sockets(of: pids).values.map { held throws(SystemError) in
                    SharedDescriptor(try Process.copy(held))
                }
                try traffic?.processesStandStill(sockets.map { $0.descriptor.rawValue }, connectionHeld)
                stage = .frozen(Frost(thaw: thaw, sockets: sockets, pageOut: PageOut()))
                frozen(pids)
            } catch {
                try thaw()
                throw error
            }
        } catch {
            stage = .awake(nil)
            history.checkpointFailed("it cannot be frozen: \(error)")
            context.log.error("the container runs on: it cannot be frozen: \(error)", label)
            tellNow { $0.freezeFailed("\(error)", at: $1) }
        }
    }

    private func frozen(_ pids: [pid_t]) {
        history.froze()
        tellChange("frozen")
        scheduleWake()
        // A packet that came before they all stood still may be with the application already, where no socket tells of
        // it.
        if traffic?.quietness(since: lastActivity)() == false { return tell { $0.connectionHeld() } }
        pageOut(pids)
        giveMemoryBack(andProgram: true)
    }

    private func pageOut(_ pids: [pid_t]) {
        guard let pageOut = frost?.pageOut else { return }
        // Nothing of it is to be on a disk in the clear, and whether swap is encrypted is not known.
        if context.policy.encryptImages { return }
        guard PageOut.isPossible else { return context.log.debug("no swap: the memory stays where it is", label) }
        do throws(SystemError) {
            try context.loop.onThread("page out") {
                pageOut.run(pids)
                return PageOut.swapped(pids)
            } then: { [weak self] bytes in
                guard let self, frost?.pageOut === pageOut else { return }
                history.memoryGivenBack = bytes
                context.log.info("memory paged out", ["container": id, "bytes": "\(bytes)"])
                context.changed()
                giveMemoryBack(andProgram: true)
            }
        } catch {
            context.log.warning("memory is not paged out: \(error)", label)
        }
    }

    func thaw() {
        changeBegan = .now
        cancelWake()
        endFrost()
        tellChange("thawed", by: history.caller)
        history.thawed()
        func tellThawed() { tellNow { $0.thawed(at: $1) } }
        guard isPaused else { return tellThawed() }
        // For somebody who makes images of what is paused.
        runc.pause { [self] result in
            if case .failure(let error) = result {
                context.log.error("thawed, and not paused again: \(error)", label)
            }
            tellThawed()
        }
    }

    /// The processes go on, if they stood still.
    func endFrost() {
        guard let frost else { return }
        frost.pageOut.cancel()
        // The copies of sockets go first.
        traffic?.endpoints.aboutToRun()
        traffic?.endpoints.end(context.loop)
        stage = .awake(nil)
        let thaw = frost.thaw
        do throws(SystemError) {
            try thaw()
        } catch {
            // Its control groups are gone, and the processes with them: the exit is on its way.
            context.log.error("cannot thaw: \(error)", label)
        }
    }
}
