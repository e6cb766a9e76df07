/// Keeps a container's open connections while its processes are away. Called on the thread of the dump or the restore.
package protocol ConnectionKeeper: Sendable {
    /// All processes stand still, and CRIU has not looked at their sockets yet: from the return of this call on their
    /// state must not change.
    /// - Returns: false if this is no time to sleep.
    func processesStopped() -> Bool

    /// The images are complete, and the processes are about to go.
    ///
    /// - Parameter connections: by the inode number of the socket.
    /// - Returns: false if the application is needed after all.
    func processesLeave(_ connections: [UInt64: ConnectionImage]) -> Bool

    /// CRIU is killed in the middle of a checkpoint, and cleans up nothing. Called before that, if that is known, or
    /// after it; `processesRun` follows.
    func criuIsKilled()

    /// The processes run, or are about to: packets may reach them.
    func processesRun()
}
