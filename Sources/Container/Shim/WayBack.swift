import Checkpoint
import Glibc
import Linux

/// A checkpoint that is to be made.
struct CheckpointOrder {
    let container: String
    /// The container's init.
    let pid: pid_t
    let root: String
    let cgroup: Cgroup?
    /// systemd removes the control groups as soon as no process is in them.
    let isInScope: Bool
    let snapshot: Snapshot
    /// Bytes that the processes have in memory.
    let memory: UInt64
    /// Whether the images are made ready for memory that comes after a wake.
    let mayWakeLazily: Bool
    let clock: SleepClock
    let times: StepTimes
    let underWay: CallUnderWay
    /// Asked on any thread, last when everything is written: false if somebody wants the processes.
    let mayGoOn: @Sendable () -> Bool
    /// Asked there, when everything is written and nothing is ended yet, with what tells of arrivals from then on.
    let mayEnd: @Sendable ([Int32]) throws(SystemError) -> Bool
    /// Told on the loop if the work is not on the container's account.
    let notCharged: (SystemError) -> Void
}

/// What a checkpoint leaves of the processes besides their images: the way back to them.
struct WayBack {
    /// What the init does with signals.
    let dispositions: SignalDispositions?
    /// Bytes of memory that may come after the processes run again.
    let lazyMemory: UInt64
    /// What keeps the control groups in use, if anything has to.
    let placeholder: pid_t?
    /// How long until the first timer of the processes comes due.
    let earliestTimer: () -> Instant.Span?
    /// Makes criu ready for a restore that comes later.
    let prepare: (CRIUService.Prestart, _ isLazy: Bool) throws(SystemError) -> Void
    /// Makes processes of the images. Calls back on the loop, never before it has returned. May be called again after a
    /// failure.
    let restore: (RestoreOrder, @escaping (Result<Restored, CheckpointError>) -> Void) -> Void
    /// Lets go of what the processes had open: it is theirs again, or nobody's.
    let letGo: () -> Void
}

/// A restore that is to be made.
struct RestoreOrder {
    /// Whether the memory comes after the processes run.
    let isLazy: Bool
    let times: StepTimes
    let underWay: CallUnderWay
    /// Called on another thread, when the processes are complete and do not run yet. A failure after that ends them.
    let aboutToRun: @Sendable () -> Void
    /// Called on the loop then, with the pid of the new init.
    let resuming: (pid_t) -> Void
}

struct Restored {
    let pid: pid_t
    /// The page server that brings the memory that is not there yet; nil: all is there.
    let pages: PagesToCome?
}

/// A page server at work.
struct PagesToCome {
    /// Ends the server. Processes that wait for memory go on waiting until `letGo`.
    let end: () -> Void
    /// Nobody waits for memory any more.
    let letGo: () -> Void
    /// Calls back when it has ended, with success only if all memory has been brought.
    let whenEnded: (@escaping (ExitStatus) -> Void) -> Void
}
