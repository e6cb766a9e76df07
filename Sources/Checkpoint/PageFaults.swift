import CLinux
import Glibc
import Linux
import Synchronization

/// Where the kernel asks for memory that a page server has not brought yet: a userfaultfd for each process.
///
/// They are held here too. If the server ended before its time and closed the last one, the kernel would give processes
/// zeros where their memory was; as it is they wait, and can be ended. Where nothing is missing the kernel is told not to
/// ask (UFFDIO_UNREGISTER): the server would have to answer for every page that is touched for the first time, and does
/// not any more once a process is complete for it.
final class PageFaults: Sendable {
    private let ready: SharedDescriptor
    private let snapshot: Snapshot
    private let memory: LazyMemory
    private let state = Mutex<(server: pid_t?, isReady: Bool, held: [Int32])>((nil, false, []))

    /// How long the server may take to start, and to take over the processes of a container.
    private static let patience = Instant.Span.seconds(10)

    init(ready: SharedDescriptor, _ snapshot: Snapshot, _ memory: LazyMemory) {
        self.ready = ready
        self.snapshot = snapshot
        self.memory = memory
    }

    deinit {
        letGo()
    }

    /// The server's process, until it has ended.
    var server: pid_t? {
        get { state.withLock { $0.server } }
        set { state.withLock { $0.server = newValue } }
    }

    /// Blocks until criu can be told to use the server. May be called again, for another criu: the server says only once
    /// that it is ready.
    func awaitServer() throws(SystemError) {
        if state.withLock({ $0.isReady }) { return }
        guard try ready.descriptor.isReadable(before: .now + Self.patience) else {
            throw SystemError("start", "criu lazy-pages", code: ETIMEDOUT)
        }
        // One byte, or the end of the file if the server ended instead.
        if try ready.descriptor.read(atMost: 1)?.isEmpty ?? true {
            throw SystemError("start", "criu lazy-pages: \(snapshot.logTail(PageServer.log))", code: ECHILD)
        }
        state.withLock { $0.isReady = true }
    }

    /// Blocks until the server has taken over all processes of the images, and holds what it holds.
    func hold() throws(SystemError) {
        let count = try Files.names(in: snapshot.images).count { $0.hasPrefix("mm-") }
        let deadline = Instant.now + Self.patience
        while let pid = server, Instant.now < deadline {
            let numbers = Process.descriptors(of: pid, linkedTo: "anon_inode:[userfaultfd]")
            if numbers.count >= count { return try hold(numbers, of: pid) }
            // Nothing tells when another process takes a message from its socket.
            usleep(200)
        }
        throw SystemError("hand over", "\(count) processes to the page server", code: ETIMEDOUT)
    }

    private func hold(_ numbers: [Int32], of pid: pid_t) throws(SystemError) {
        let process = Descriptor(owning: try checking("pidfd_open", "\(pid)", zp_pidfd_open(pid)))
        for number in numbers {
            let copy = try checking("pidfd_getfd", "userfaultfd of \(pid)", zp_pidfd_getfd(process.rawValue, number))
            state.withLock { $0.held.append(copy) }
            for addresses in memory.complete {
                // EINVAL, ENOMEM: these are addresses of another process.
                _ = zp_userfaultfd_unregister(
                    copy, addresses.lowerBound, addresses.upperBound - addresses.lowerBound)
            }
        }
    }

    func letGo() {
        state.withLock { state in
            for number in state.held { close(number) }
            state.held = []
        }
    }
}
