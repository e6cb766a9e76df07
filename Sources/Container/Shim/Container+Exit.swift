import Checkpoint
import Glibc
import Lifecycle
import Linux

/// The end of processes.
extension Container {
    /// Watches a process that is the container's init.
    func awaitExit(of pid: pid_t) {
        context.children.whenEnded(pid) { [weak self] status in
            // A process that was checkpointed has another successor by now.
            guard let self, main.pid == pid else { return }
            if heldExit == nil { tellExit(status) } else { heldExit = .of(status) }
        }
    }

    /// Tells the exit that was held back, if there was one.
    func tellHeldExit() {
        if case .of(let status) = heldExit.take() { tellExit(status) }
    }

    private func tellExit(_ status: ExitStatus) {
        let code = comingMemory?.isLost == true ? Lifecycle.restoreFailure : status.code
        tell { $0.initExited(status: code) }
    }

    /// The container has ended: whatever is left of it goes, and containerd hears of it once everything has ended.
    func ended(status: UInt32) {
        cancelLook()
        cancelWake()
        let areImagesKept = endStage()
        // Connections that are being relayed or turned away go on to their end; `delete` closes what is left.
        traffic?.end()
        if !areImagesKept { discardSnapshot() }
        main.io?.processEnded()

        // containerd wants to hear of the execs first.
        let running = execs.values.filter { $0.phase == .running || $0.isBeingStarted }
        var awaited = running.count + (ownsProcessNamespace ? 0 : 1)
        if awaited == 0 { return reportExit(status) }
        func oneHasEnded() {
            awaited -= 1
            if awaited == 0 { reportExit(status) }
        }
        for process in running { process.whenExited { _ in oneHasEnded() } }
        // In a pid namespace of its own the kernel ends the others together with the init. In a shared one they run on,
        // so they are killed: whoever hears of the end may count on theirs.
        if !ownsProcessNamespace { runc.kill(SIGKILL, true) { _ in oneHasEnded() } }
    }

    /// - Returns: whether there are images for a person to look at.
    private func endStage() -> Bool {
        var areImagesKept = false
        switch stage {
        // A restore under way uses what it has until it ends.
        case .waking(let attempt) where attempt.call != nil: return false
        // The other ends of pipes and connections see their end then. A criu that waits for the wake goes as well: runc would
        // find it in the control groups, and readers of the streams would wait for it.
        case .asleep(let asleep): letGo(of: asleep.wayBack)
        case .waking(let attempt): letGo(of: attempt.asleep.wayBack)
        case .awake(let memory?):
            areImagesKept = memory.isLost
            memory.pages.end()
            memory.end()
        // A frozen process cannot end, so all are thawed.
        case .frozen: endFrost()
        case .failed: areImagesKept = true
        case .awake(nil), .fallingAsleep, .ended: break
        }
        stage = .ended
        return areImagesKept
    }

    func letGo(of wayBack: WayBack) {
        traffic?.endpoints.end(context.loop)
        wayBack.letGo()
    }

    private var ownsProcessNamespace: Bool { spec.namespace("pid")?.path == "" }

    private func reportExit(_ status: UInt32) {
        // The cause goes before the effect, whichever the loop heard of first.
        outOfMemory?.look()
        outOfMemory = nil
        main.exited(status: status) { exit in
            context.publish(.exited(id: id, process: id, pid: main.pid, exit: exit))
        }
        leaveTarget()
    }
}

/// An exit of the init that is told later: something is under way whose end is told first.
enum HeldExit {
    case notYet
    case of(ExitStatus)
}
