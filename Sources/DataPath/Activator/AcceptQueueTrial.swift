import CLinux
import Glibc
import Linux

/// Whether this kernel hands a closed listener's queue over so that the heir notices. It is tried, once after each boot:
/// kernels from 5.14 on have the option, but some hand over without waking an acceptor that sleeps already.
package enum AcceptQueueTrial {
    /// Gone with a reboot, so with every change of the kernel.
    static let file = "/run/zeropod/accept-queues"
    private static let success = "work"

    /// What the trial found: nil if queues can be handed over, else why not.
    package static var result: String? {
        guard let text = try? Files.readText(file) else { return "it was not tried" }
        return text == success ? nil : text
    }

    /// Tries unless that was done. For a short-lived process: it makes a network namespace.
    package static func run() {
        if Files.exists(file) { return }
        var text = success
        do throws(SystemError) { try attempt() } catch { text = error.description }
        // Without the file nothing is handed over.
        try? Files.makeDirectories("/run/zeropod")
        try? Files.replace(file, with: Array(text.utf8))
    }

    private static func attempt() throws(SystemError) {
        let home = try Namespace.own(.network)
        try retrying("unshare(network namespace)") { unshare(CLONE_NEWNET) }
        defer {
            do { try home.enter() } catch { Process.abort("cannot return to the own network namespace: \(error)") }
        }
        try checking("ioctl(SIOCSIFFLAGS)", "lo", zp_loopback_up())
        try Files.write("1", to: "/proc/sys/net/ipv4/tcp_migrate_req")

        let client = try TCPSocket.make(.ipv4)
        let epoll = Descriptor(owning: try retrying("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        let heir = try inherit(from: client, epoll)
        // It is told in the course of close, or never.
        var event = epoll_event()
        let told = try retrying("epoll_wait") { epoll_wait(epoll.rawValue, &event, 1, 0) }
        if told == 0 { throw SystemError("await", "a connection handed over", code: ETIMEDOUT) }
        if try TCPSocket.accept(heir) == nil { throw SystemError("accept", "a connection handed over", code: EAGAIN) }
    }

    /// As in a sleep and a wake: a listener without the option, left behind with a connection, and another that CRIU
    /// binds beside it before the first is closed. Gives the other.
    private static func inherit(
        from client: borrowing Descriptor, _ epoll: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
        let old = try listener(at: .loopback(.ipv4), sharesPort: false)
        let address = try TCPSocket.localAddress(old)
        try TCPSocket.connect(client, to: address)
        try awaitConnection(old)
        try TCPSocket.set(.reusePort, true, of: old)
        let heir = try listener(at: address, sharesPort: true)
        try TCPSocket.set(.reusePort, false, of: heir)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t())
        try retrying("epoll_ctl") { epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, heir.rawValue, &event) }
        return heir
    }

    private static func listener(at address: SocketAddress, sharesPort: Bool) throws(SystemError) -> Descriptor {
        let socket = try TCPSocket.make(.ipv4)
        try TCPSocket.set(.reuseAddress, true, of: socket)
        try TCPSocket.set(.reusePort, sharesPort, of: socket)
        try TCPSocket.bind(socket, to: address)
        try TCPSocket.listen(socket, backlog: 8)
        return socket
    }

    private static func awaitConnection(_ listener: borrowing Descriptor) throws(SystemError) {
        var request = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
        // Over lo it is there at once; the limit is for kernels that surprise.
        let count = try retrying("poll") { poll(&request, 1, 1000) }
        if count == 0 { throw SystemError("await", "a connection over lo", code: ETIMEDOUT) }
    }
}
