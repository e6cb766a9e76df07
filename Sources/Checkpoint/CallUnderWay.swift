import Glibc
import Linux
import Synchronization

/// A call of CRIU under way, for those who may have to end it.
package final class CallUnderWay: Sendable {
    private struct State {
        var service: CRIUService?
        /// The first process that a restore has made.
        var initial: ProcessHandle?
        var isEnded = false
        /// Gives back what CRIU uses, once it has ended.
        var atEnd: (@Sendable () -> Void)?
        /// Where a restore makes processes.
        var cgroup: Cgroup?
        var awaitsShim = false
        /// How often it has.
        var waits: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Ends CRIU, and with it what a restore has made so far. The call fails.
    package func end() {
        let (service, initial) = state.withLock { state in
            state.isEnded = true
            return (state.service, state.initial)
        }
        service?.kill()
        initial?.kill()
    }

    package var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Something that changes as long as CRIU gets on: its processor time, that of its children, the images, and how often it
    /// has waited for this process.
    package func progress(_ snapshot: Snapshot) -> UInt64 {
        let (pid, waits) = state.withLock { ($0.service?.pid, $0.waits) }
        return (pid.map { Process.processorTime(ofTree: $0) } ?? 0) &+ snapshot.size &+ waits
    }

    /// CRIU does nothing because it waits for this process.
    package var awaitsShim: Bool { state.withLock { $0.awaitsShim } }

    /// Does what CRIU waits for.
    package func whileCRIUWaits<Value>(_ body: () -> Value) -> Value {
        state.withLock { $0.awaitsShim = true }
        defer {
            state.withLock {
                $0.awaitsShim = false
                $0.waits += 1
            }
        }
        return body()
    }

    /// - Parameters:
    ///   - cgroup: where a restore makes processes; nil for a dump.
    ///   - atEnd: done when CRIU has ended.
    func begins(_ service: CRIUService, in cgroup: Cgroup? = nil, atEnd: (@Sendable () -> Void)? = nil) {
        let isEnded = state.withLock { state in
            state.service = service
            state.atEnd = atEnd
            state.cgroup = cgroup
            return state.isEnded
        }
        service.user.withLock { $0 = self }
        if isEnded { service.kill() }
    }

    /// CRIU has ended. A criu that is killed leaves children that wait for it for ever, so they are killed.
    func ended(_ service: CRIUService, _ status: ExitStatus) {
        let found = state.withLock { state -> (ProcessHandle?, Cgroup?, (@Sendable () -> Void)?)? in
            // Another one may have taken its place.
            guard state.service === service else { return nil }
            state.service = nil
            return (state.initial, state.cgroup, state.atEnd.take())
        }
        guard let (initial, cgroup, atEnd) = found else { return }
        if case .signaled = status {
            initial?.kill()
            // The first of them may not be known yet.
            if let cgroup { service.killForked(in: cgroup) }
        }
        atEnd?()
    }

    func made(initial pid: pid_t) throws(SystemError) {
        let handle = try ProcessHandle(pid)
        let isEnded = state.withLock { state in
            state.initial = handle
            return state.isEnded
        }
        if isEnded { handle.kill() }
    }

    /// After a failed restore nothing of it must go on.
    func failed() { state.withLock { $0.initial }?.kill() }
}
