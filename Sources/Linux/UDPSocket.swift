import CLinux
import Glibc

/// UDP sockets, non-blocking and close-on-exec, of the network namespace that the calling thread is in.
package enum UDPSocket {
    package static func make(_ family: SocketAddress.Family) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return Descriptor(owning: try retrying("socket(UDP, \(family))") { socket(family.number, type, 0) })
    }

    /// Lets `peek` tell whom datagrams are for, and holds at most so much kernel memory (SO_RCVBUFFORCE).
    package static func makeHolder(
        _ socket: borrowing Descriptor, _ family: SocketAddress.Family, memory: Int32
    ) throws(SystemError) {
        try checking("setsockopt(RECVORIGDSTADDR)", "", zp_tell_destinations(socket.rawValue, family == .ipv6 ? 1 : 0))
        // The kernel doubles what it is given, for what it needs itself.
        var half = memory / 2
        try retrying("setsockopt(SO_RCVBUFFORCE)") {
            setsockopt(socket.rawValue, SOL_SOCKET, SO_RCVBUFFORCE, &half, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Of a datagram that waits.
    package struct Envelope: Equatable, Sendable {
        package let source: SocketAddress
        package let destination: SocketAddress
        /// Of what is in it.
        package let length: Int
    }

    /// What the next datagram is, without a look at what is in it; nil if none waits.
    package static func peek(_ socket: borrowing Descriptor) throws(SystemError) -> Envelope? {
        var (source, destination) = (sockaddr_storage(), sockaddr_storage())
        let length = zp_peek_datagram(socket.rawValue, &source, &destination)
        if length == -EAGAIN { return nil }
        try checking("recvmsg(MSG_PEEK)", "", length)
        guard let from = address(&source), let to = address(&destination) else {
            throw SystemError("recvmsg(MSG_PEEK)", "an address", code: EAFNOSUPPORT)
        }
        return Envelope(source: from, destination: to, length: Int(length))
    }

    private static func address(_ storage: inout sockaddr_storage) -> SocketAddress? {
        withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { SocketAddress($0) }
        }
    }

    /// Throws the next datagram away, unread.
    package static func skip(_ socket: borrowing Descriptor) {
        // One byte, because nothing would be no receive (`zp_peek_datagram`); the rest is cut off.
        var byte: UInt8 = 0
        _ = recv(socket.rawValue, &byte, 1, Int32(MSG_DONTWAIT))
    }

    /// A socket that sends whole packets, headers and all, to an address (raw(7)), and receives none. Needs CAP_NET_RAW.
    package static func raw(to destination: SocketAddress) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Descriptor(
            owning: try retrying("socket(raw)") {
                Glibc.socket(destination.family.number, type, Int32(IPPROTO_RAW))
            })
        try TCPSocket.connect(socket, to: destination.with(port: 0))
        return socket
    }
}
