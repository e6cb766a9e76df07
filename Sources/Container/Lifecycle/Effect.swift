/// What a lifecycle event asks its caller to do. Effects are performed in the order they come in.
package enum Effect: Equatable, Hashable, Sendable {
    /// Look for listening ports and for the time of the last packet after this many nanoseconds, and report `looked`.
    /// Replaces a look that is still to come.
    case look(after: UInt64)
    /// These are the container's ports from now on: count their packets.
    case declare(ports: Set<UInt16>)
    /// Lead connections that may be probes, or are to be relayed, to the shim, and close those to passive ports. Report
    /// `connectionHeld` when somebody wants the application.
    case hold
    /// Take the redirect away, and pass what the shim has accepted in the application's place, if anything, on to it.
    case release
    /// Take the redirect away and close what the shim has accepted: there will be no application.
    case refuseConnections
    /// Begin a dump; report `checkpointEnded`.
    case checkpoint
    /// Let the dump under way fail, if it still can; report `checkpointEnded` all the same.
    case giveUpCheckpoint
    /// Let the processes stand still where they are. Report `freezeFailed` if that cannot be.
    case freeze
    /// Let frozen processes go on; report `thawed`.
    case thaw
    /// Begin a restore; report `resuming` when the processes are about to run, then `restored`; or `restoreFailed`.
    case restore
    /// The container has ended, nobody waits for the restore under way: end it. Report `restored` or `restoreFailed` all
    /// the same.
    case giveUpRestore
    /// The restore has failed for good: keep its images, for a person to look at.
    case keepImages
    /// Processes came back for a container that has ended meanwhile: kill them.
    case endProcesses
    /// The container has fallen asleep. For those who watch.
    case asleep
    /// The container is awake again. For those who watch.
    case awake
    /// The container runs: do what was requested.
    case proceed(Lifecycle.Work)
    /// The container is gone: fail what was requested.
    case refuse(Lifecycle.Work)
    /// The container has ended, once and for all.
    case exited(status: UInt32)
}
