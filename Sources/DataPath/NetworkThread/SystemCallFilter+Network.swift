import CSeccomp
import Glibc
import Linux

extension SystemCallFilter {
    /// What it takes to wait, and to read and write connected sockets that are there already. Nothing that makes a
    /// descriptor: no open, no socket, no accept, and no recvmsg, by which descriptors can be sent.
    ///
    /// - Parameters:
    ///   - readable: Event descriptors by which the thread is told something; nothing else can be read(2).
    ///   - writable: One by which it tells.
    static func forNetwork(readable: [Int32], writable: Int32) throws(SystemError) -> SystemCallFilter {
        let filter = try SystemCallFilter()
        // Time and events. clock_gettime is a call where the vDSO cannot read the clock.
        for call in [SYS_epoll_pwait, SYS_epoll_ctl, SYS_clock_gettime] { try filter.allow(call) }
        #if arch(x86_64)
            // Architectures that Linux came to later have epoll_pwait only.
            try filter.allow(SYS_epoll_wait)
        #endif
        for descriptor in readable { try filter.allow(SYS_read, .argument(0, is: descriptor)) }
        try filter.allow(SYS_write, .argument(0, is: writable))

        // Sockets. sendto only to where they are connected, and of the options only what makes close send RST.
        for call in [SYS_recvfrom, SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_close] {
            try filter.allow(call)
        }
        try filter.allow(SYS_sendto, .argument(5, is: 0))
        try filter.allow(SYS_setsockopt, .argument(1, is: SOL_SOCKET), .argument(2, is: SO_LINGER))

        // Memory, but no code, and nothing of a file.
        for call in [SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise] { try filter.allow(call) }
        try filter.allow(SYS_mmap, .argument(2, lacks: PROT_EXEC), .argument(3, has: MAP_ANONYMOUS))
        try filter.allow(SYS_mprotect, .argument(2, lacks: PROT_EXEC))

        // Locks (whoever finds one taken asks for its own thread's number, and waits with it), the seed of hash tables,
        // and the end of the thread, which blocks signals first.
        for call in [SYS_futex, SYS_gettid, SYS_sched_yield, SYS_getrandom] { try filter.allow(call) }
        for call in [SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_exit] { try filter.allow(call) }
        return filter
    }
}
