import Glibc

/// An IP address with a port. IPv4 addresses are kept in their IPv6-mapped form (RFC 4291, 2.5.5.2), so that a
/// connection has the same address whichever kind of socket it is seen from.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package let address: UInt128
    package let port: UInt16
    /// The interface of a link-local address, else 0.
    package let scope: UInt32

    private static let mappedPrefix: UInt128 = 0xffff << 32

    package init(ipv6 address: UInt128, port: UInt16, scope: UInt32 = 0) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    package init(ipv4 address: UInt32, port: UInt16) {
        self.init(ipv6: Self.mappedPrefix | UInt128(address), port: port)
    }

    /// Reads `10.0.0.1` or `fd00::1`, without a zone.
    package init?(_ text: String, port: UInt16) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr), port: port)
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(
                ipv6: withUnsafeBytes(of: six) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }, port: port)
        } else {
            return nil
        }
    }

    /// The same host, another port.
    package func with(port: UInt16) -> SocketAddress { SocketAddress(ipv6: address, port: port, scope: scope) }

    package static func loopback(_ family: Family, port: UInt16 = 0) -> SocketAddress {
        switch family {
        case .ipv4: SocketAddress(ipv4: INADDR_LOOPBACK, port: port)
        case .ipv6: SocketAddress(ipv6: 1, port: port)
        }
    }

    package enum Family: Sendable {
        case ipv4
        case ipv6

        package var number: Int32 { self == .ipv4 ? AF_INET : AF_INET6 }
    }

    package var family: Family { address >> 32 == 0xffff ? .ipv4 : .ipv6 }

    package var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

    /// Without the port.
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var bytes = address.bigEndian
        withUnsafeBytes(of: &bytes) { bytes in
            let start = family == .ipv4 ? 12 : 0
            _ = inet_ntop(family.number, bytes.baseAddress.map { $0 + start }, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: For the kernel

    /// Calls `body` with a `sockaddr_in` or `sockaddr_in6`; the latter can name IPv4 addresses too.
    package func withPointer<Result>(
        for kind: Family? = nil, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        switch kind ?? family {
        case .ipv4:
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr.s_addr = UInt32(truncatingIfNeeded: address).bigEndian
            return Self.rebind(&raw, body)
        case .ipv6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            raw.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &raw.sin6_addr) { $0.storeBytes(of: address.bigEndian, as: UInt128.self) }
            return Self.rebind(&raw, body)
        }
    }

    private static func rebind<Raw, Result>(
        _ raw: inout Raw, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &raw) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Raw>.size)) }
        }
    }

    /// Calls one of getsockname(2), getpeername(2).
    package static func reading(
        _ operation: String, _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemError) -> SocketAddress {
        // Large enough for both families; `sin_family` and `sin_port` are at the same place in both.
        var raw = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        try retrying(operation) {
            withUnsafeMutablePointer(to: &raw) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
            }
        }
        return Self(raw)
    }

    private init(_ raw: sockaddr_in6) {
        self = withUnsafeBytes(of: raw) { bytes in
            let port = UInt16(bigEndian: raw.sin6_port)
            if raw.sin6_family == sa_family_t(AF_INET) {
                return SocketAddress(
                    ipv4: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)), port: port)
            }
            let address = UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt128.self))
            return SocketAddress(ipv6: address, port: port, scope: raw.sin6_scope_id)
        }
    }

    /// nil for other families.
    package init?(_ pointer: UnsafePointer<sockaddr>) {
        var raw = sockaddr_in6()
        let size: Int
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        withUnsafeMutableBytes(of: &raw) { $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: size)) }
        self.init(raw)
    }
}
