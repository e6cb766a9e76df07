import CLinux
import CSeccomp
import Glibc
import Linux
import Synchronization
import Testing

@testable import DataPath

/// What the thread that reads from the network can do, and what it cannot.
@Suite struct NetworkThreadTests {
    /// A system call by its number, with arguments with which no kernel does anything.
    struct Attempt: Sendable {
        let name: String
        let call: Int32
        let arguments: [Int]
    }

    private static let everywhere: [Attempt] = [
        Attempt(name: "read", call: SYS_read, arguments: [-1, 0, 0]),
        Attempt(name: "write", call: SYS_write, arguments: [-1, 0, 0]),
        Attempt(name: "openat", call: SYS_openat, arguments: [-1, 0, 0]),
        Attempt(name: "mmap of code", call: SYS_mmap, arguments: [0, 0, 4, 0x22, -1, 0]),
        Attempt(name: "mmap of a file", call: SYS_mmap, arguments: [0, 0, 1, 1, 0, 0]),
        Attempt(name: "mprotect to code", call: SYS_mprotect, arguments: [1, 0, 4]),
        Attempt(name: "ioctl", call: SYS_ioctl, arguments: [-1, 0, 0]),
        Attempt(name: "dup", call: SYS_dup, arguments: [-1]),
        Attempt(name: "socket", call: SYS_socket, arguments: [-1, 0, 0]),
        Attempt(name: "connect", call: SYS_connect, arguments: [-1, 0, 0]),
        Attempt(name: "accept4", call: SYS_accept4, arguments: [-1, 0, 0, 0]),
        Attempt(name: "sendto somewhere", call: SYS_sendto, arguments: [-1, 0, 0, 0, 0, 28]),
        Attempt(name: "sendmsg", call: SYS_sendmsg, arguments: [-1, 0, 0]),
        Attempt(name: "recvmsg", call: SYS_recvmsg, arguments: [-1, 0, 0]),
        Attempt(name: "bind", call: SYS_bind, arguments: [-1, 0, 0]),
        Attempt(name: "setsockopt(SO_MARK)", call: SYS_setsockopt, arguments: [-1, 1, 36, 0, 0]),
        // CLONE_THREAD without what belongs to it.
        Attempt(name: "clone", call: SYS_clone, arguments: [0x10000, 0, 0, 0, 0]),
        Attempt(name: "execve", call: SYS_execve, arguments: [0, 0, 0]),
        Attempt(name: "kill", call: SYS_kill, arguments: [0, 65]),
        Attempt(name: "fcntl", call: SYS_fcntl, arguments: [-1, 0, 0]),
        Attempt(name: "unlinkat", call: SYS_unlinkat, arguments: [-1, 0, 0]),
        Attempt(name: "ptrace", call: SYS_ptrace, arguments: [-1, 0, 0, 0]),
        Attempt(name: "mount", call: SYS_mount, arguments: [0, 0, 0, 0, 0]),
        Attempt(name: "setns", call: SYS_setns, arguments: [-1, 0]),
        Attempt(name: "process_vm_writev", call: SYS_process_vm_writev, arguments: [0, 0, 0, 0, 0, -1]),
        Attempt(name: "bpf", call: SYS_bpf, arguments: [-1, 0, 0]),
        Attempt(name: "pidfd_getfd", call: SYS_pidfd_getfd, arguments: [-1, 0, 0]),
    ]

    static let forbidden = everywhere + old

    #if arch(x86_64)
        /// What architectures that Linux came to later do not have.
        private static let old: [Attempt] = [
            Attempt(name: "open", call: SYS_open, arguments: [0, 0, 0]),
            Attempt(name: "unlink", call: SYS_unlink, arguments: [0]),
        ]
    #else
        private static let old: [Attempt] = []
    #endif

    private typealias Call = @convention(c) (Int, Int, Int, Int, Int, Int, Int) -> Int

    /// syscall(2), which Swift does not import because it takes any number of arguments. Gives the errno of each.
    static func attempt() throws -> @Sendable () -> [Int32] {
        let symbol = try #require(dlsym(nil, "syscall"))
        let call = unsafeBitCast(symbol, to: Call.self)
        return {
            forbidden.map { one in
                let a = one.arguments + [Int](repeating: 0, count: 6 - one.arguments.count)
                return call(Int(one.call), a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0
            }
        }
    }

    private static func names(where isSo: (Int32) -> Bool, _ codes: [Int32]) -> [String] {
        zip(forbidden, codes).filter { isSo($1) }.map { "\($0.name): \(SystemError($0.name, code: $1))" }
    }

    @Test func whatItNeedsNotIsRefused() throws {
        let loop = try EventLoop()
        let attempt = try Self.attempt()
        var codes: [Int32]?
        let tell = loop.reply { codes = $0 }
        try NetworkThread(loop: loop).begin { _, done in
            tell(attempt())
            done()
        } then: {
        }
        try loop.wait { codes != nil }
        #expect(Self.names(where: { $0 != EPERM }, codes ?? []) == [])
        // The same on this thread, to which nothing has happened.
        #expect(Self.names(where: { $0 == EPERM }, attempt()) == [])
        #expect(codes?.count == Self.forbidden.count)
    }

    /// The threads of this process, by what they are called, with what the kernel says of their filter (2: there is one).
    private struct ThreadState {
        let name: String
        let filter: String
    }

    private static func threads() throws -> [ThreadState] {
        try Files.names(in: "/proc/self/task").compactMap { thread in
            guard let status = try? Files.readText("/proc/self/task/\(thread)/status") else { return nil }
            let lines = status.split(separator: "\n").map(String.init)
            func value(_ key: String) -> String {
                let line = lines.first { $0.hasPrefix(key + ":\t") } ?? ""
                return String(line.dropFirst(key.count + 2))
            }
            return ThreadState(name: value("Name"), filter: value("Seccomp"))
        }
    }

    /// A lock says by the number of its thread who holds it, and the kernel looks at that when another waits for it.
    @Test func itsLocksCanBeWaitedFor() throws {
        let loop = try EventLoop()
        let lock = SharedLock()
        var count: Int?
        let tell = loop.reply { (value: Int) in count = value }
        try NetworkThread(loop: loop).begin { _, done in
            // Held for most of the time, so that the other thread comes to wait.
            for _ in 0..<1000 {
                lock.value.withLock { value in
                    value += 1
                    for _ in 0..<10 { sched_yield() }
                }
            }
            tell(lock.value.withLock { $0 })
            done()
        } then: {
        }
        while lock.value.withLock({ $0 }) < 1000 {}
        try loop.wait { count != nil }
        #expect(count == 1000)
    }

    private final class SharedLock: Sendable {
        let value = Mutex(0)
    }

    @Test func itIsThereForAsLongAsItHasSomethingToDo() throws {
        let loop = try EventLoop()
        let thread = NetworkThread(loop: loop)
        // Those of other tests end when they may.
        try loop.wait(looking: true) { !Self.hasNetworkThread }
        for _ in 1...3 {
            var hasBegun = false
            var isDone = false
            let begun = loop.reply { (_: Void) in hasBegun = true }
            let work = Work()
            try thread.begin { _, done in
                work.done = done
                begun(())
            } then: {
                isDone = true
            }
            try loop.wait { hasBegun }
            let threads = try Self.threads()
            #expect(threads.filter { $0.name == "network" }.map { $0.filter } == ["2"])
            #expect(threads.filter { $0.name != "network" }.allSatisfy { $0.filter == "0" })
            #expect(!isDone)
            thread.tell { _ in work.end() }
            try loop.wait { isDone }
            // It still has to end; nothing tells of that.
            try loop.wait(looking: true) { !Self.hasNetworkThread }
        }
    }

    /// Of a test, and over when that says so. Only the network thread touches it.
    private final class Work: @unchecked Sendable {
        var done: (() -> Void)?

        func end() {
            done?()
            done = nil
        }
    }

    private static var hasNetworkThread: Bool { (try? threads().contains { $0.name == "network" }) ?? true }

    /// What two tasks hold is closed when the owner says so, and each is told of its end.
    @Test func tasksEndWhenEverythingIsClosed() throws {
        let loop = try EventLoop()
        let thread = NetworkThread(loop: loop)
        var ends: [Int32] = [0, 0]
        try retrying("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends)
        }
        let far = Descriptor(owning: ends[1])
        var isDone = false
        func refuse(_ socket: OpenSocket) throws {
            try thread.begin { room, done in
                room.refusal.add(socket, onClose: done)
            } then: {
                isDone = true
            }
        }
        try refuse(OpenSocket(Descriptor(owning: ends[0])))
        thread.tell { $0.closeAll() }
        try loop.wait { isDone }
        // Closed by the time that this is told.
        #expect(try far.read(atMost: 1) == [])
    }
}
