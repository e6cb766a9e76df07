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
            // One that ends at once may have ended before runc, which started it. Its start is told first.
            if isStarting {
                earlyExit = status
            } else {
                let code = hasLostMemory ? Lifecycle.restoreFailure : status.code
                tell { $0.initExited(status: code) }
            }
        }
    }

    /// The container has ended: whatever is left of it goes, and containerd hears of it once everything has ended.
    func ended(status: UInt32) {
        if let nextLook { context.loop.cancel(nextLook) }
        nextLook = nil
        cancelWake()
        // Who is to end has to be able to.
        endFrost()
        endStage()
        endPageServer()
        // Connections that are being relayed or turned away go on to their end; `delete` closes what is left.
        traffic?.end()
        if dump == nil && !imagesAreEvidence { discardSnapshot() }
        main.io?.processEnded()

        // containerd wants to hear of the execs first.
        let running = execs.values.filter { $0.phase == .running }
        var awaited = running.count + (ownsProcessNamespace ? 0 : 1)
        if awaited == 0 { return reportExit(status) }
        func oneHasEnded() {
            awaited -= 1
            if awaited == 0 { reportExit(status) }
        }
        for process in running { process.whenExited { _ in oneHasEnded() } }
        // In a pid namespace of its own the kernel ends the others together with the init. In a shared one nobody does,
        // and who hears of the end may count on theirs.
        if !ownsProcessNamespace { runc.kill(SIGKILL, all: true) { _ in oneHasEnded() } }
    }

    /// A dump and a restore that are under way use what they have until they end.
    private func endStage() {
        if dump != nil || restoreUnderWay != nil { return }
        // The other ends of pipes and connections see their end then.
        if let sleeper { letGo(of: sleeper) }
        // A criu that waits for the wake goes as well: runc would find it in the control groups, and readers of the streams
        // would wait for it.
        stage = .ended
    }

    func letGo(of sleeper: Sleeper) {
        traffic?.endpoints.end(context.loop)
        sleeper.descriptors.close()
    }

    private var ownsProcessNamespace: Bool { spec.namespace("pid")?.path == "" }

    private func reportExit(_ status: UInt32) {
        // The cause goes before the effect, whichever the loop heard of first.
        outOfMemory?.look()
        outOfMemory = nil
        main.exited(status: status)
        leaveTarget()
        if let exit = main.exit {
            context.publish(.exited(id: id, process: id, pid: main.pid, exit: exit))
        }
    }
}
