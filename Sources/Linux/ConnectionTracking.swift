import CLinux
import Glibc

/// What NAT in a network namespace makes of its connections (ctnetlink).
package struct ConnectionTracking: ~Copyable {
    private let netlink: Descriptor

    /// Of the namespace that the calling thread is in. Any other may ask.
    package init() throws(SystemError) {
        netlink = Descriptor(owning: try checking("socket", "ctnetlink", zp_conntrack_open()))
    }

    /// How the packets of a connection come from outside: their destination, and their source. nil if it is not tracked.
    package func arrival(of connection: TCPConnection) throws(SystemError) -> (
        local: SocketAddress, remote: SocketAddress
    )? {
        var asked = zp_tuple()
        asked.is_ipv6 = connection.local.family == .ipv6 ? 1 : 0
        Self.set(&asked.source, &asked.source_port, connection.local)
        Self.set(&asked.destination, &asked.destination_port, connection.remote)
        var other = zp_tuple()
        let code = zp_conntrack_get(netlink.rawValue, &asked, &other)
        if code == -ENOENT { return nil }
        if code < 0 { throw SystemError("ctnetlink", "\(connection.local)", code: -code) }
        let isIPv6 = other.is_ipv6 != 0
        return (
            Self.address(other.destination, other.destination_port, isIPv6),
            Self.address(other.source, other.source_port, isIPv6)
        )
    }

    private static func set<Bytes>(_ bytes: inout Bytes, _ port: inout UInt16, _ address: SocketAddress) {
        port = address.port
        withUnsafeMutableBytes(of: &bytes) { bytes in
            switch address.family {
            case .ipv4:
                bytes.storeBytes(of: UInt32(truncatingIfNeeded: address.address).bigEndian, as: UInt32.self)
            case .ipv6: bytes.storeBytes(of: address.address.bigEndian, as: UInt128.self)
            }
        }
    }

    private static func address<Bytes>(_ bytes: Bytes, _ port: UInt16, _ isIPv6: Bool) -> SocketAddress {
        withUnsafeBytes(of: bytes) { bytes in
            isIPv6
                ? SocketAddress(ipv6: UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self)), port: port)
                : SocketAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)), port: port)
        }
    }
}
