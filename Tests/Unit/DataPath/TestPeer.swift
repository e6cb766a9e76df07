import Glibc
import Linux
import Testing

/// One end of a TCP connection, driven by the test's event loop.
final class TestPeer {
    let loop: EventLoop
    let socket: Descriptor
    private(set) var isConnected: Bool
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false
    private(set) var error: Int32 = 0
    /// Told of everything that has come, whenever more has.
    var onText: ((String) -> Void)?
    /// Not reading lets the other side's buffers fill up.
    var reads = true { didSet { update() } }
    private var unsent: ArraySlice<UInt8> = []
    private(set) var isFinishing = false
    var unsentCount: Int { unsent.count }

    var text: String { String(decoding: received, as: UTF8.self) }
    var isOver: Bool { hasEnded || error != 0 }

    init(loop: EventLoop, _ socket: consuming Descriptor, isConnected: Bool = true) throws {
        self.loop = loop
        self.socket = socket
        self.isConnected = isConnected
        try loop.watch(self.socket, isConnected ? .readable : .writable) { [unowned self] in handle($0) }
    }

    deinit { loop.unwatch(socket.rawValue) }

    /// Begins to connect from the namespace the thread is in.
    static func connect(
        _ loop: EventLoop, to address: SocketAddress, from port: UInt16 = 0, source: SocketAddress? = nil
    ) throws -> TestPeer {
        let socket = try TCPSocket.make(address.family)
        if let source { try TCPSocket.bind(socket, to: source) }
        if port != 0 {
            try TCPSocket.set(.reuseAddress, true, of: socket)
            let any = address.family == .ipv4 ? SocketAddress(ipv4: 0, port: port) : SocketAddress(ipv6: 0, port: port)
            try TCPSocket.bind(socket, to: any)
        }
        try TCPSocket.connect(socket, to: address)
        return try TestPeer(loop: loop, socket, isConnected: false)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        unsent += bytes
        flush()
    }

    /// FIN, after what is still to be sent.
    func finish() {
        isFinishing = true
        flush()
    }

    func reset() {
        loop.unwatch(socket.rawValue)
        // Connecting to "unspecified" dissolves a connection, with RST, and leaves the descriptor open (connect(2)).
        var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: sockaddr().sa_data)
        withUnsafePointer(to: &nowhere) {
            _ = Glibc.connect(
                socket.rawValue, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr>.size))
        }
    }

    /// Whether the connection is over for the kernel, whatever was read of it.
    var isClosed: Bool {
        var information = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        getsockopt(socket.rawValue, Int32(IPPROTO_TCP), TCP_INFO, &information, &length)
        return information.tcpi_state == 7  // TCP_CLOSE of <net/tcp_states.h>
    }

    var localAddress: SocketAddress? { try? TCPSocket.localAddress(socket) }
    var peerAddress: SocketAddress? { try? TCPSocket.peerAddress(socket) }

    private func handle(_ events: EventLoop.Interest) {
        if !isConnected {
            error = TCPSocket.takeError(socket)
            isConnected = error == 0
        }
        if error == 0 { flush() }
        if error == 0 && reads { read() }
        update()
    }

    private func read() {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 1)
        defer { chunk.deallocate() }
        do {
            guard let count = try socket.read(into: chunk) else { return }
            if count == 0 { hasEnded = true }
            received += chunk[..<count]
            if count > 0 { onText?(text) }
        } catch {
            self.error = error.code
        }
    }

    private func flush() {
        guard isConnected else { return }
        do {
            while !unsent.isEmpty, let count = try TCPSocket.send(unsent, to: socket) {
                unsent = unsent.dropFirst(count)
            }
            if unsent.isEmpty && isFinishing { TCPSocket.endSending(socket) }
        } catch {
            self.error = error.code
        }
        update()
    }

    private func update() {
        var interest: EventLoop.Interest = []
        if !isConnected || !unsent.isEmpty { interest.insert(.writable) }
        if reads && !hasEnded { interest.insert(.readable) }
        if error != 0 || (hasEnded && unsent.isEmpty) {
            loop.unwatch(socket.rawValue)
        } else {
            try? loop.rewatch(socket.rawValue, interest)
        }
    }
}

/// An application: listens, and keeps the connections it accepted.
final class TestServer {
    private let loop: EventLoop
    let listener: Descriptor
    private(set) var accepted: [TestPeer] = []
    /// Descriptors kept back for connections, while the rest of the process is short of them.
    private var reserve: [Int32] = []

    /// - Parameter onAccept: Called with each connection.
    init(
        _ loop: EventLoop, in pod: TestPod? = nil, _ address: SocketAddress, reuseAddress: Bool = true,
        reusePort: Bool = false, ipv6Only: Bool = false, owner: uid_t = 0, backlog: Int32 = 4096,
        onAccept: @escaping (TestPeer) -> Void = { _ in }
    ) throws {
        self.loop = loop
        func make() throws(SystemError) -> Descriptor {
            let socket = try TCPSocket.make(address.family)
            if reuseAddress { try TCPSocket.set(.reuseAddress, true, of: socket) }
            if reusePort { try TCPSocket.set(.reusePort, true, of: socket) }
            if ipv6Only { try TCPSocket.set(.ipv6Only, true, of: socket) }
            if owner != 0 { try retrying("fchown") { fchown(socket.rawValue, owner, owner) } }
            try TCPSocket.bind(socket, to: address)
            try TCPSocket.listen(socket, backlog: backlog)
            return socket
        }
        listener = if let pod { try pod.network.inside(make) } else { try make() }
        try loop.watch(listener, .readable) { [unowned self] _ in
            while let peer = accept() {
                accepted.append(peer)
                onAccept(peer)
            }
        }
    }

    private func accept() -> TestPeer? {
        let isReserved = reserve.popLast().map { close($0) } != nil
        if let socket = try? TCPSocket.accept(listener) { return try? TestPeer(loop: loop, socket) }
        if isReserved { reserve(1) }
        return nil
    }

    func reserve(_ count: Int) {
        for _ in 0..<count { reserve.append(dup(listener.rawValue)) }
    }

    /// Closes connections that ended both ways.
    func forgetEnded() {
        accepted.removeAll { $0.hasEnded && $0.isFinishing }
    }

    /// Leaves what waits where it is, as a process that stands still.
    func stopAccepting() { loop.unwatch(listener.rawValue) }

    deinit { loop.unwatch(listener.rawValue) }
}

struct TimedOut: Error {
    let line: Int
}

extension EventLoop {
    /// Runs until something is the case. Only what hangs reaches the limit.
    ///
    /// - Parameter looking: It is of a kind that no event tells of: look again and again.
    func wait(looking: Bool = false, line: Int = #line, until isDone: () -> Bool) throws {
        var isLate = false
        let timer = after(.seconds(60)) { isLate = true }
        var look: Linux.Timer?
        func lookAgain() { look = after(.milliseconds(1)) { lookAgain() } }
        if looking { lookAgain() }
        defer { if let look { cancel(look) } }
        try run(until: { isDone() || isLate })
        cancel(timer)
        if isLate { throw TimedOut(line: line) }
    }
}
