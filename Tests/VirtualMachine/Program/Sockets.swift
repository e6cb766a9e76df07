import Glibc
import Linux

/// A network namespace with nothing but lo.
func makeNamespace() throws -> Namespace {
    let home = try Namespace.own(.network)
    try retrying("unshare") { unshare(CLONE_NEWNET) }
    defer { try? home.enter() }
    let pid = try Command("/bin/busybox", ["ip", "link", "set", "lo", "up"]).spawn()
    var status: Int32 = 0
    try retrying("waitpid") { waitpid(pid, &status, 0) }
    return try Namespace.own(.network)
}

func listen(on address: SocketAddress, in namespace: borrowing Namespace) throws -> Descriptor {
    try namespace.inside { () throws(SystemError) in
        let socket = try TCPSocket.make(address.family)
        try TCPSocket.set(.reuseAddress, true, of: socket)
        try TCPSocket.bind(socket, to: address)
        try TCPSocket.listen(socket, backlog: 16)
        return socket
    }
}

/// Connects and waits until the connection stands.
func connect(to address: SocketAddress, in namespace: borrowing Namespace) throws -> Descriptor {
    let socket = try namespace.inside { () throws(SystemError) in
        let socket = try TCPSocket.make(address.family)
        try TCPSocket.connect(socket, to: address)
        return socket
    }
    try wait(for: socket, Int16(POLLOUT))
    let code = TCPSocket.takeError(socket)
    if code != 0 { throw SystemError("connect", "\(address)", code: code) }
    return socket
}

/// poll(2) with a limit that only a hang reaches.
func wait(for socket: borrowing Descriptor, _ events: Int16) throws {
    var entry = pollfd(fd: socket.rawValue, events: events, revents: 0)
    if try retrying("poll", "", { poll(&entry, 1, 20_000) }) == 0 { throw SystemError("poll", code: ETIMEDOUT) }
}

func accept(_ listener: borrowing Descriptor) throws -> Descriptor {
    try wait(for: listener, Int16(POLLIN))
    guard let socket = try TCPSocket.accept(listener) else { throw SystemError("accept", code: EAGAIN) }
    return socket
}
