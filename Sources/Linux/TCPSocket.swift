import CLinux
import Glibc

/// TCP sockets, non-blocking and close-on-exec. They belong to the network namespace that the calling thread is in when
/// they are made.
package enum TCPSocket {
    package static func make(_ family: SocketAddress.Family) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return Descriptor(owning: try retrying("socket(\(family))") { socket(family.number, type, 0) })
    }

    // MARK: Options

    package enum Option {
        /// SO_REUSEADDR
        case reuseAddress
        /// SO_REUSEPORT
        case reusePort
        /// SO_KEEPALIVE
        case keepAlive
        /// TCP_NODELAY
        case noDelay
        /// IPV6_V6ONLY
        case ipv6Only
        /// IP_TRANSPARENT, IPV6_TRANSPARENT: any address may be bound to. Needs CAP_NET_ADMIN in the network namespace.
        case transparent(SocketAddress.Family)

        var name: (level: Int32, option: Int32) {
            switch self {
            case .reuseAddress: (SOL_SOCKET, SO_REUSEADDR)
            case .reusePort: (SOL_SOCKET, SO_REUSEPORT)
            case .keepAlive: (SOL_SOCKET, SO_KEEPALIVE)
            case .noDelay: (Int32(IPPROTO_TCP), TCP_NODELAY)
            case .ipv6Only: (Int32(IPPROTO_IPV6), IPV6_V6ONLY)
            case .transparent(.ipv4): (Int32(IPPROTO_IP), IP_TRANSPARENT)
            case .transparent(.ipv6): (Int32(IPPROTO_IPV6), IPV6_TRANSPARENT)
            }
        }
    }

    package static func set(_ option: Option, _ on: Bool, of socket: borrowing Descriptor) throws(SystemError) {
        let (level, number) = option.name
        try set("\(option)", level, number, on ? 1 : 0, of: socket)
    }

    /// SO_MARK. Needs CAP_NET_ADMIN in the network namespace.
    package static func setMark(_ mark: UInt32, of socket: borrowing Descriptor) throws(SystemError) {
        try set("SO_MARK", SOL_SOCKET, SO_MARK, Int32(bitPattern: mark), of: socket)
    }

    private static func set(
        _ name: @autoclosure () -> String, _ level: Int32, _ number: Int32, _ value: Int32,
        of socket: borrowing Descriptor
    ) throws(SystemError) {
        var value = value
        try retrying("setsockopt(\(name()))") {
            setsockopt(socket.rawValue, level, number, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// SO_LINGER with no time: closing the socket sends RST and throws away what was not sent.
    package static func resetOnClose(_ socket: borrowing Descriptor) {
        var value = linger(l_onoff: 1, l_linger: 0)
        // It is about to be closed either way.
        _ = setsockopt(socket.rawValue, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Takes the error that a failed connection attempt, or a reset, left behind (SO_ERROR); 0 if there is none.
    package static func takeError(_ socket: borrowing Descriptor) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length)
        return result == 0 ? code : errno
    }

    // MARK: Connections

    /// - Parameter kind: That of the socket, if it is not the one of the address.
    package static func bind(
        _ socket: borrowing Descriptor, to address: SocketAddress, for kind: SocketAddress.Family? = nil
    ) throws(SystemError) {
        try retrying("bind", "\(address)") {
            address.withPointer(for: kind) { Glibc.bind(socket.rawValue, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) }
        }
    }

    package static func listen(_ socket: borrowing Descriptor, backlog: Int32) throws(SystemError) {
        try retrying("listen") { Glibc.listen(socket.rawValue, backlog) }
    }

    /// Begins to connect; the socket is writable when that has ended, and `takeError` tells how.
    package static func connect(_ socket: borrowing Descriptor, to address: SocketAddress) throws(SystemError) {
        do {
            try retrying("connect", "\(address)") {
                address.withPointer { Glibc.connect(socket.rawValue, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) }
            }
        } catch {
            if error.code != EINPROGRESS { throw error }
        }
    }

    /// Accepts one connection; nil if none waits.
    package static func accept(_ listener: borrowing Descriptor) throws(SystemError) -> Descriptor? {
        try UnixSocket.accept(listener)
    }

    package static func localAddress(_ socket: borrowing Descriptor) throws(SystemError) -> SocketAddress {
        try SocketAddress.reading("getsockname") {
            getsockname(socket.rawValue, __SOCKADDR_ARG(__sockaddr__: $0), $1)
        }
    }

    package static func peerAddress(_ socket: borrowing Descriptor) throws(SystemError) -> SocketAddress {
        try SocketAddress.reading("getpeername") {
            getpeername(socket.rawValue, __SOCKADDR_ARG(__sockaddr__: $0), $1)
        }
    }

    /// send(2) without SIGPIPE.
    /// - Returns: how many bytes were taken, nil when none are for now.
    package static func send(
        _ buffer: UnsafeRawBufferPointer, to socket: borrowing Descriptor
    ) throws(SystemError) -> Int? {
        do {
            return try retrying("send") {
                Glibc.send(socket.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
        } catch {
            if error.code == EAGAIN { return nil }
            throw error
        }
    }

    package static func send(
        _ bytes: ArraySlice<UInt8>, to socket: borrowing Descriptor
    ) throws(SystemError) -> Int? {
        // withUnsafeBytes of the standard library loses the type of the error.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemError) in try send(buffer, to: socket) }
        }
        return try result.get()
    }

    /// recv(2) of at most `buffer.count` bytes.
    /// - Returns: how many arrived, 0 at the end of the connection, nil when none are there yet.
    package static func receive(
        into buffer: UnsafeMutableRawBufferPointer, from socket: borrowing Descriptor
    ) throws(SystemError) -> Int? {
        do {
            return try retrying("recv") { recv(socket.rawValue, buffer.baseAddress, buffer.count, 0) }
        } catch {
            if error.code == EAGAIN { return nil }
            throw error
        }
    }

    /// recv(2) of at most `count` bytes.
    /// - Returns: empty at the end of the connection, nil when nothing is there yet.
    package static func receive(
        atMost count: Int, from socket: borrowing Descriptor
    ) throws(SystemError) -> [UInt8]? {
        try receive(atMost: count, flags: 0, from: socket)
    }

    /// What has arrived, left where it is (MSG_PEEK of recv(2)).
    /// - Returns: empty at the end of the connection, nil when nothing is there yet.
    package static func peek(_ socket: borrowing Descriptor, atMost count: Int) throws(SystemError) -> [UInt8]? {
        try receive(atMost: count, flags: Int32(MSG_PEEK), from: socket)
    }

    private static func receive(
        atMost count: Int, flags: Int32, from socket: borrowing Descriptor
    ) throws(SystemError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        do {
            let length = try retrying("recv") { recv(socket.rawValue, &bytes, count, flags) }
            bytes.removeLast(count - length)
            return bytes
        } catch {
            if error.code == EAGAIN { return nil }
            throw error
        }
    }

    /// Reads and throws away what has arrived (MSG_TRUNC of tcp(7)).
    /// - Returns: true at the end of the connection, false if more may come.
    package static func discard(_ socket: borrowing Descriptor) throws(SystemError) -> Bool {
        do {
            var count = 1
            while count > 0 {
                count = try retrying("recv") { recv(socket.rawValue, nil, 1 << 20, Int32(MSG_TRUNC)) }
            }
            return true
        } catch {
            if error.code == EAGAIN { return false }
            throw error
        }
    }

    /// Sends FIN after what has been sent. A connection that is gone already is no error.
    package static func endSending(_ socket: borrowing Descriptor) {
        _ = shutdown(socket.rawValue, Int32(SHUT_WR))
    }

    /// The same, and takes no more: who holds the socket as well reads its end.
    package static func endBoth(_ socket: borrowing Descriptor) {
        _ = shutdown(socket.rawValue, Int32(SHUT_RDWR))
    }

    /// How many connections wait to be accepted (tcp_info's `tcpi_unacked` of a listening socket, tcp(7)).
    package static func waitingConnections(_ listener: borrowing Descriptor) -> Int {
        waitingConnections(listener.rawValue)
    }

    package static func waitingConnections(_ listener: Int32) -> Int { Int(information(of: listener).tcpi_unacked) }

    /// How many may wait: the second argument of listen(2), within the limit of the network namespace (`tcpi_sacked` of a
    /// listening socket).
    package static func queueLength(_ listener: Int32) -> Int32 { Int32(information(of: listener).tcpi_sacked) }

    /// For how many seconds a connection whose client has said nothing is kept from a listening socket (TCP_DEFER_ACCEPT
    /// of tcp(7)); 0: not at all; nil: it cannot tell.
    package static func deferral(of listener: Int32) -> Int32? {
        var (seconds, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        let result = getsockopt(listener, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, &length)
        return result == 0 ? seconds : nil
    }

    @discardableResult
    package static func setDeferral(of listener: Int32, seconds: Int32) -> Bool {
        var seconds = seconds
        let length = socklen_t(MemoryLayout<Int32>.size)
        return setsockopt(listener, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, length) == 0
    }

    private static func information(of number: Int32) -> tcp_info {
        var (information, length) = (tcp_info(), socklen_t(MemoryLayout<tcp_info>.size))
        // A socket that cannot tell has none.
        return getsockopt(number, Int32(IPPROTO_TCP), TCP_INFO, &information, &length) == 0 ? information : tcp_info()
    }
}
