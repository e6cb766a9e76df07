import CLinux
import Glibc

/// A listening TCP socket as sock_diag(7) tells of it.
package struct ListeningSocket: Hashable, Sendable {
    /// What two sockets must have in common to be of one SO_REUSEPORT group (inet_reuseport_add_sock of the kernel); the
    /// owner, which sock_diag tells of too, can be changed.
    package struct Key: Hashable, Sendable, CustomStringConvertible {
        package let family: SocketAddress.Family
        package let address: SocketAddress
        package let isIPv6Only: Bool
        /// The index of the device that it is bound to; 0 if to none.
        package let interface: UInt32

        package var description: String { "\(address)" }
    }

    package let key: Key
    package let inode: UInt64
    package var port: UInt16 { key.address.port }

    private init(_ raw: zp_listener) {
        let address = withUnsafeBytes(of: raw.address) { bytes in
            raw.is_ipv6 != 0
                ? SocketAddress(ipv6: UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self)), port: raw.port)
                : SocketAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)), port: raw.port)
        }
        key = Key(
            family: raw.is_ipv6 != 0 ? .ipv6 : .ipv4, address: address, isIPv6Only: raw.is_ipv6_only != 0,
            interface: raw.interface)
        inode = raw.inode
    }

    /// All of the network namespace that the calling thread is in.
    package static func all() throws(SystemError) -> [ListeningSocket] {
        try SocketDump.all("listening sockets", zp_listener(), zp_listening_sockets).map(ListeningSocket.init)
    }
}
