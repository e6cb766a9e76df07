import CLinux
import Glibc

/// A TCP connection as sock_diag(7) tells of it.
package struct TCPConnection: Sendable {
    /// What the processes that share it know it by; 0 if none has accepted it yet.
    package let inode: UInt64
    package let local: SocketAddress
    package let remote: SocketAddress
    /// A `TCP_…` state of <net/tcp_states.h>.
    package let state: UInt8
    /// Bytes that the application has not read yet.
    package let unread: UInt32
    /// Bytes that the peer has not acknowledged yet, sent or not.
    package let unacknowledged: UInt32
    private let sent: UInt64
    private let received: UInt64
    /// Since data last went, and came. They begin with the connection, and are as coarse as a jiffy (1 to 10 ms).
    private let sinceSent: Instant.Span
    private let sinceReceived: Instant.Span

    private init(_ raw: zp_tcp_connection) {
        func address(_ bytes: UnsafeRawBufferPointer, _ port: UInt16) -> SocketAddress {
            raw.is_ipv6 != 0
                ? SocketAddress(ipv6: UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self)), port: port)
                : SocketAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)), port: port)
        }
        inode = raw.inode
        local = withUnsafeBytes(of: raw.local) { address($0, raw.local_port) }
        remote = withUnsafeBytes(of: raw.remote) { address($0, raw.remote_port) }
        state = raw.state
        unacknowledged = raw.unacknowledged
        sent = raw.sent
        // A FIN has a number like a byte, and counts as one: among what was received (tcp_fin), and among what is unread
        // until it is read itself, which is when nothing is left (tcp_diag_get_info).
        let hasEnded = raw.state == Self.closeWait
        received = raw.received - (hasEnded && raw.received > 0 ? 1 : 0)
        unread = raw.unread - (hasEnded && raw.unread > 0 ? 1 : 0)
        sinceSent = .milliseconds(UInt64(raw.since_sent))
        sinceReceived = .milliseconds(UInt64(raw.since_received))
    }

    /// All of the network namespace that the calling thread is in.
    package static func all() throws(SystemError) -> [TCPConnection] {
        try SocketDump.all("connections", zp_tcp_connection(), zp_tcp_connections).map(TCPConnection.init)
    }

    package static func all(in namespace: borrowing Namespace) throws(SystemError) -> [TCPConnection] {
        try namespace.inside { () throws(SystemError) in try all() }
    }

    /// The application may still send: ESTABLISHED, or CLOSE_WAIT.
    package var isOpen: Bool { state == 1 || peerHasEnded }

    /// CLOSE_WAIT: the application has not ended its own sending.
    package var peerHasEnded: Bool { state == Self.closeWait }

    /// Nobody has accepted it, and its client has ended it before it said anything.
    package var wasGivenUp: Bool { inode == 0 && peerHasEnded && received == 0 }

    /// Data has come over it.
    package var hasReceived: Bool { received > 0 }

    /// Nobody has accepted it. What outlives its process has no inode either, and is in other states.
    package var waitsToBeAccepted: Bool { inode == 0 && (state == Self.established || state == Self.closeWait) }

    /// Of include/net/tcp_states.h.
    private static let established: UInt8 = 1
    private static let closeWait: UInt8 = 8

    /// How long ago data came that the application has not answered yet. It owes an answer if data came after data last
    /// went, or is still unread; and as long as it has sent what has not arrived.
    package var owesAnswer: Instant.Span? {
        if !isOpen { return nil }
        if unacknowledged > 0 { return Instant.Span(nanoseconds: 0) }
        if unread > 0 { return sinceReceived }
        // A first request that comes with the connection shows by the bytes alone.
        let owes = sent == 0 ? received > 0 : sinceReceived < sinceSent
        return owes ? sinceReceived : nil
    }

    /// The same with the parts changed, for a connection that the application has made: how long ago it has asked what
    /// nobody has answered yet.
    package var awaitsAnswer: Instant.Span? {
        if unacknowledged > 0 { return Instant.Span(nanoseconds: 0) }
        if !isOpen { return nil }
        if unread > 0 { return sinceReceived }
        let awaits = received == 0 ? sent > 0 : sinceSent < sinceReceived
        return awaits ? sinceSent : nil
    }

    /// How long ago data last came or went.
    package var sinceData: Instant.Span { min(sinceSent, sinceReceived) }

    /// How long ago data came that nobody has read.
    package var unreadSince: Instant.Span? { unread > 0 ? sinceReceived : nil }
}
