import Glibc
import Linux

/// A socket or named pipe of a container, and what it tells of those who want something of the container.
package enum Endpoint: Equatable, Sendable {
    case listener(port: UInt16)
    case connection(localPort: UInt16)
    /// Bound to a port; nobody but everybody may send there.
    case datagrams(port: UInt16)
    /// Sockets of the unix domain, whatever they do, and named pipes.
    case local
    /// Nobody outside can reach it, or it is none of those above.
    case other

    /// - Parameter number: a descriptor of this process.
    package init(of number: Int32) {
        guard let domain = Self.option(number, SO_DOMAIN) else {
            // Not a socket: what is asked about is a named pipe then.
            self = .local
            return
        }
        let (type, accepts) = (Self.option(number, SO_TYPE), Self.option(number, SO_ACCEPTCONN))
        switch (domain, type) {
        case (AF_UNIX, _): self = .local
        case (AF_INET, Int32(SOCK_STREAM.rawValue)), (AF_INET6, Int32(SOCK_STREAM.rawValue)):
            let port = Self.port(number)
            self = accepts == 1 ? .listener(port: port) : .connection(localPort: port)
        case (AF_INET, Int32(SOCK_DGRAM.rawValue)), (AF_INET6, Int32(SOCK_DGRAM.rawValue)):
            self = Self.isConnected(number) ? .other : .datagrams(port: Self.port(number))
        default: self = .other
        }
    }

    /// How much waits there to be read, so that it can be told whether more has come; nil where that cannot be told: of
    /// connections that wait to be accepted, and datagrams of the unix domain.
    ///
    /// - Parameter number: a descriptor of this process.
    package static func unread(_ number: Int32) -> UInt64? {
        guard let domain = option(number, SO_DOMAIN) else { return bytesToRead(number) }
        if option(number, SO_ACCEPTCONN) == 1 { return nil }
        if domain == AF_UNIX {
            return option(number, SO_TYPE) == Int32(SOCK_DGRAM.rawValue) ? nil : bytesToRead(number)
        }
        // For datagrams FIONREAD tells of the first one only. SO_MEMINFO begins with the memory of what was received
        // (SK_MEMINFO_RMEM_ALLOC of <linux/sock_diag.h>).
        var (numbers, length) = ([UInt32](repeating: 0, count: 16), socklen_t(64))
        let result = getsockopt(number, SOL_SOCKET, SO_MEMINFO, &numbers, &length)
        return result == 0 ? UInt64(numbers[0]) : nil
    }

    private static func bytesToRead(_ number: Int32) -> UInt64? {
        var count: Int32 = 0
        return ioctl(number, UInt(FIONREAD), &count) == 0 ? UInt64(count) : nil
    }

    private static func option(_ number: Int32, _ name: Int32) -> Int32? {
        var (value, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        return getsockopt(number, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    private static func port(_ number: Int32) -> UInt16 {
        let address = try? SocketAddress.reading("getsockname") {
            getsockname(number, __SOCKADDR_ARG(__sockaddr__: $0), $1)
        }
        return address?.port ?? 0
    }

    private static func isConnected(_ number: Int32) -> Bool { peer(of: number) != nil }

    /// The other end: of a connection; of datagrams, who has sent the one that is read next. It stays there.
    package func peer(_ number: Int32) -> SocketAddress? {
        switch self {
        case .connection: Self.peer(of: number)
        case .datagrams: Self.nextSender(to: number)
        case .listener, .local, .other: nil
        }
    }

    /// nil if it has none, or has lost it.
    private static func peer(of number: Int32) -> SocketAddress? {
        try? SocketAddress.reading("getpeername") {
            getpeername(number, __SOCKADDR_ARG(__sockaddr__: $0), $1)
        }
    }

    private static func nextSender(to number: Int32) -> SocketAddress? {
        var byte: UInt8 = 0
        return try? SocketAddress.reading("recvfrom") {
            let count = recvfrom(
                number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT),
                __SOCKADDR_ARG(__sockaddr__: $0), $1)
            return count < 0 ? -1 : 0
        }
    }
}

/// Which endpoints wake a container.
package struct WakePolicy: Sendable {
    /// TCP ports that do not wake, not even on connections that are open; all others do.
    package var passivePorts: Set<UInt16>
    /// UDP ports that wake; nil: every datagram does.
    package var datagramPorts: Set<UInt16>?
    /// Connections with these, whoever made them, do not wake.
    package var ignoredPeers: Set<AddressRange>

    package init(passivePorts: Set<UInt16>, datagramPorts: Set<UInt16>?, ignoredPeers: Set<AddressRange> = []) {
        self.passivePorts = passivePorts
        self.datagramPorts = datagramPorts
        self.ignoredPeers = ignoredPeers
    }

    /// - Parameter number: a descriptor of the endpoint.
    func wakes(_ endpoint: Endpoint, _ number: Int32) -> Bool {
        switch endpoint {
        case .listener(let port): !passivePorts.contains(port)
        case .connection(let port):
            !passivePorts.contains(port) && (ignoredPeers.isEmpty || !ignoredPeers.have(endpoint.peer(number)))
        case .datagrams(let port): datagramPorts?.contains(port) ?? true
        case .local: true
        case .other: false
        }
    }
}
