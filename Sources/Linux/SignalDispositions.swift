import Glibc

/// What the first process of a pid namespace does with signals: read from it while it runs, for when it does not.
package struct SignalDispositions: Equatable, Sendable {
    private let caught: UInt64
    private let blocked: UInt64

    /// From `/proc/PID/status`. Not while somebody injects code into the process, as CRIU does: that blocks all signals.
    package init(of pid: pid_t) throws(SystemError) {
        // Masks are hexadecimal, the lowest bit is signal 1 (proc_pid_status(5)).
        func mask(_ name: String) throws(SystemError) -> UInt64 {
            guard let value = try Process.statusField(name, of: pid).flatMap({ UInt64($0, radix: 16) }) else {
                throw SystemError("parse \(name) of", "/proc/\(pid)/status", code: EBADMSG)
            }
            return value
        }
        self.init(caught: try mask("SigCgt"), blocked: try mask("SigBlk"))
    }

    init(caught: UInt64, blocked: UInt64) {
        self.caught = caught
        self.blocked = blocked
    }

    /// Whether a signal from outside of the pid namespace would have any effect, as the kernel decides it for a first
    /// process (sig_task_ignored, sig_ignored): one without a handler is dropped, SIGKILL and SIGSTOP excepted; a blocked
    /// one waits for whoever asks for it; SIGCONT continues also where nobody catches it.
    package func heed(_ signal: Int32) -> Bool {
        if signal == SIGKILL || signal == SIGSTOP || signal == SIGCONT { return true }
        guard (1...64).contains(signal) else { return false }
        return (caught | blocked) >> UInt64(signal - 1) & 1 == 1
    }
}
