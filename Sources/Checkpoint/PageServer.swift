import Glibc
import Linux

/// `criu lazy-pages`: brings a restored container's memory while it runs already. A page that is touched comes at once,
/// all others one after the other; then it ends, with success only if all memory has been brought.
package final class PageServer {
    package static let log = "pages.log"
    private static let statusNumber: Int32 = 3

    /// What the thread of the restore sees of it.
    let faults: PageFaults
    private var outcome: ExitStatus?
    private var endHandler: ((ExitStatus) -> Void)?

    /// Whether the kernel has what it takes: userfaultfd, which is a build option.
    package static var isPossible: Bool { access("/proc/sys/vm/unprivileged_userfaultfd", F_OK) == 0 }

    package init(_ criu: String, _ snapshot: Snapshot, _ memory: LazyMemory, children: Children) throws(SystemError) {
        let ends = try SharedPipe()
        var command = Command(
            criu,
            [
                "lazy-pages", "--images-dir", snapshot.images, "--work-dir", snapshot.directory,
                "--log-file", Self.log, "-v1", "--status-fd", "\(Self.statusNumber)",
            ], directory: "/")
        command.descriptors[Self.statusNumber] = ends.write.descriptor.rawValue
        faults = PageFaults(ready: ends.read, snapshot, memory)
        // Its own end of the pipe must be open until the child has it, and no longer.
        faults.server = try withExtendedLifetime(ends.write) { () throws(SystemError) in
            try children.start(command) { [self] status in ended(status) }
        }
    }

    private func ended(_ status: ExitStatus) {
        faults.server = nil
        outcome = status
        endHandler?(status)
        endHandler = nil
    }

    /// Ends the server, if it has not ended. Processes that wait for memory go on waiting until `letGo`.
    package func end() {
        if let pid = faults.server { try? Process.signal(SIGKILL, to: pid) }
    }

    /// Nobody waits for memory any more.
    package func letGo() { faults.letGo() }

    /// Calls back when it has ended.
    package func whenEnded(_ body: @escaping (ExitStatus) -> Void) {
        if let outcome { body(outcome) } else { endHandler = body }
    }
}
