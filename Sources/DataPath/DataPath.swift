import Linux

/// The way of a connection: packet → `Redirector` (BPF) → `Activator` (hold, then relay) → application.
///
/// Three rooms. `Redirector/` directs new connections and knows when a port was last used; what needs libbpf and much
/// memory for a moment is done by `DataPathLoader` in a child process, the long-lived shim only opens what the child
/// pinned. `Tracker/` is the part of it that all pods of the node share. `Activator/` is the other end of the redirect:
/// it runs in the shim's process and knows nothing of BPF. `BPF/` wraps libbpf; no other room imports it.
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
