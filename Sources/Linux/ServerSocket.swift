import CLinux
import Glibc

/// A TCP listener at an address as Go programs write it: `:8080`, `127.0.0.1:8080`, `[::1]:8080`.
package enum ServerSocket {
    /// Nil if the text is no such address. No host means all addresses, of both families.
    package static func parse(_ text: String) -> (host: SocketAddress?, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.isEmpty { return (nil, port) }
        if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard let address = SocketAddress(String(host), port: port) else { return nil }
        return (address, port)
    }

    package static func listen(_ text: String) throws(SystemError) -> Descriptor {
        guard let (host, port) = parse(text) else { throw SystemError("address", text, code: EINVAL) }
        if let host { return try listen(on: host) }
        do throws(SystemError) {
            return try listen(on: SocketAddress(ipv6: 0, port: port))
        } catch {
            // A node without IPv6.
            guard error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL else { throw error }
            return try listen(on: SocketAddress(ipv4: 0, port: port))
        }
    }

    private static func listen(on address: SocketAddress) throws(SystemError) -> Descriptor {
        let socket = try TCPSocket.make(address.family)
        // The successor of a daemon that has just ended must get its port.
        try TCPSocket.set(.reuseAddress, true, of: socket)
        if address.family == .ipv6 { try TCPSocket.set(.ipv6Only, address.address != 0, of: socket) }
        try TCPSocket.bind(socket, to: address)
        try TCPSocket.listen(socket, backlog: 64)
        return socket
    }
}
