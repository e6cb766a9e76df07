import CLinux
import Glibc

/// How a process ended.
package enum ExitStatus: Equatable, Hashable, Sendable {
    case exited(Int32)
    case signaled(Int32)

    /// The number a shell and containerd use: the exit code, or 128 plus the signal.
    package var code: UInt32 {
        switch self {
        case .exited(let code): UInt32(truncatingIfNeeded: code & 0xff)
        case .signaled(let signal): 128 + UInt32(signal)
        }
    }

    package var isSuccess: Bool { self == .exited(0) }
}

/// Waits for all children of this process: those it started, and those that became its own because it is a subreaper
/// (container processes, whose runc has exited).
///
/// One owner of wait(2) in the process: nobody else may wait for a child.
package final class Children {
    private let loop: EventLoop
    private let signals: Descriptor
    private var handlers: [pid_t: (ExitStatus) -> Void] = [:]
    /// Exits of processes nobody had asked for yet. A container's init can end before runc, which started it, has
    /// told us its pid.
    private var unclaimed: [pid_t: ExitStatus] = [:]
    private var expectations = 0

    /// Blocks SIGCHLD in the calling thread (start no threads before) and makes this process a subreaper.
    package init(loop: EventLoop) throws(SystemError) {
        self.loop = loop
        var mask = Self.blockSignal()
        signals = Descriptor(
            owning: try retrying("signalfd") { signalfd(-1, &mask, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
        try checking("prctl(PR_SET_CHILD_SUBREAPER)", "", zp_prctl(PR_SET_CHILD_SUBREAPER, 1))
        try loop.watch(signals, .readable) { [unowned self] _ in reap() }
    }

    /// For a program that starts threads before it has children: what a thread has not blocked may be delivered to it, which
    /// drops a SIGCHLD, and nobody hears of the child's end. Threads inherit what is blocked when they are started.
    @discardableResult
    package static func blockSignal() -> sigset_t {
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGCHLD)
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        return mask
    }

    /// Starts a program and calls `handler` when it has ended.
    @discardableResult
    package func start(_ command: Command, _ handler: @escaping (ExitStatus) -> Void) throws(SystemError) -> pid_t {
        let pid = try command.spawn()
        handlers[pid] = handler
        return pid
    }

    /// Calls `handler` when a process that is or will be our child has ended; soon, if it already has. A process
    /// that ended before the call is known only if an `Expectation` was held since then.
    package func whenEnded(_ pid: pid_t, _ handler: @escaping (ExitStatus) -> Void) {
        if let status = unclaimed.removeValue(forKey: pid) {
            loop.soon { handler(status) }
        } else {
            handlers[pid] = handler
        }
    }

    /// Forgets a handler.
    package func ignore(_ pid: pid_t) {
        handlers[pid] = nil
    }

    /// While one is held, exits of unknown processes are remembered for `whenEnded`.
    package func expectUnknown() -> Expectation {
        expectations += 1
        return Expectation(self)
    }

    package final class Expectation {
        private let children: Children

        fileprivate init(_ children: Children) { self.children = children }

        deinit {
            children.expectations -= 1
            if children.expectations == 0 { children.unclaimed.removeAll() }
        }
    }

    private func reap() {
        var information = signalfd_siginfo()
        while read(signals.rawValue, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {}
        // One signal may stand for many exits.
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            if pid < 0 && errno == EINTR { continue }
            if pid <= 0 { return }
            ended(pid, status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signaled(status & 0x7f))
        }
    }

    func ended(_ pid: pid_t, _ status: ExitStatus) {
        if let handler = handlers.removeValue(forKey: pid) {
            handler(status)
        } else if expectations > 0 {
            unclaimed[pid] = status
        }
    }
}
