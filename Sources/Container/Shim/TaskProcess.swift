import Glibc
import Linux
import StdIO

/// A process as containerd knows it: a container's init, or an exec.
package final class TaskProcess {
    /// How and when it ended.
    package struct Exit: Equatable, Sendable {
        package let status: UInt32
        package let at: WallClockTime

        init(status: UInt32, at: WallClockTime = .now) {
            self.status = status
            self.at = at
        }
    }

    package enum Phase: Equatable, Sendable {
        case created
        case running
        case exited(Exit)
    }

    /// The exec's id; empty for an init.
    package let id: String
    package let streams: StreamPaths
    package private(set) var phase: Phase = .created
    /// In the shim's pid namespace; 0 until there is a process. Stays what it was when the process has ended.
    package private(set) var pid: pid_t = 0
    /// Nil for an exec that has not been started.
    var io: ProcessIO?

    /// By the order in which they came.
    private var waiters: [Int: (Exit) -> Void] = [:]
    private var lastWaiter = 0

    init(id: String, streams: StreamPaths) {
        self.id = id
        self.streams = streams
    }

    package var exit: Exit? {
        if case .exited(let exit) = phase { exit } else { nil }
    }

    /// runc is on its way with an exec: it has not run yet, or nobody knows.
    var isBeingStarted: Bool { phase == .created && io != nil && !id.isEmpty }

    /// Whether there has ever been a process.
    package var hasRun: Bool { pid != 0 }

    /// The pids that containerd has been told, and may come back with: it does not hear of a restored process's new one.
    private(set) var toldPids: Set<pid_t> = []

    /// The pid, for containerd.
    package func tellPid() -> pid_t {
        if pid != 0 { toldPids.insert(pid) }
        return pid
    }

    /// The process is there; a restored one has another pid than before.
    func exists(as pid: pid_t) {
        self.pid = pid
        // Creation tells it.
        if toldPids.isEmpty { toldPids.insert(pid) }
    }

    func started() {
        if phase == .created { phase = .running }
    }

    /// The first exit counts.
    ///
    /// - Parameter tell: tells it to containerd, before those who wait hear of it: another end may be told for it.
    func exited(status: UInt32, _ tell: (Exit) -> Void = { _ in }) {
        guard exit == nil else { return }
        let exit = Exit(status: status)
        phase = .exited(exit)
        tell(exit)
        let waiters = self.waiters
        self.waiters = [:]
        for (_, body) in waiters.sorted(by: { $0.key < $1.key }) { body(exit) }
    }

    /// The process's stdin ends once containerd's side has ended and what was written to it has been delivered.
    package func closeStdin() { io?.closeStdin() }

    package func resize(columns: UInt16, rows: UInt16) throws(ShimError) {
        do throws(SystemError) {
            try io?.resize(columns: columns, rows: rows)
        } catch {
            throw ShimError(error)
        }
    }

    /// Calls back when the process has ended; at once if it has. Gives a number to `forget` it by.
    @discardableResult
    package func whenExited(_ body: @escaping (Exit) -> Void) -> Int {
        lastWaiter += 1
        if let exit { body(exit) } else { waiters[lastWaiter] = body }
        return lastWaiter
    }

    package func forget(_ waiter: Int) {
        waiters[waiter] = nil
    }
}
