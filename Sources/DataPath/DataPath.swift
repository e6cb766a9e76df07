import Linux

/// The way of a connection: packet → the application's own socket; asleep, since the shim holds it: → `Endpoints` (poll) →
/// the lifecycle, which is not in this module. What may be a probe, or is to be relayed, goes another way: packet →
/// `Redirector` (BPF) → `NetworkThread` with `Probes`, or `Activator` → application.
///
/// `Redirector/` knows when a port was last used as well; what needs libbpf and much memory for a moment is done by
/// `DataPathLoader` in a child process, the long-lived shim only opens what the child pinned. `Tracker/` is the part of it
/// that all pods of the node share. `BPF/` wraps libbpf; no other room imports it.
///
/// Nothing here decides when to sleep or to wake.
package enum DataPath {
    /// Below this, everything that outlives a process is pinned.
    static let fileSystem = "/sys/fs/bpf"
    static let root = "\(fileSystem)/zeropod"
    /// Where the lock is.
    private static let runtimeDirectory = "/run/zeropod"

    /// Runs `body` while no other process of the node does: for what the pods share, which is the tracker and the
    /// directories above their own. Not to be nested.
    static func locked<Result>(
        _ body: () throws(DataPathError) -> Result
    ) throws(DataPathError) -> Result {
        let lock = try system { () throws(SystemError) in
            try Files.makeDirectories(runtimeDirectory)
            return try FileLock.acquire("\(runtimeDirectory)/datapath.lock")
        }
        defer { FileLock.release(lock) }
        return try body()
    }
}
