import Linux

/// Which `Host` a request may name. A page in somebody's browser can have its own name lead here (DNS rebinding), and
/// would then read what only this network may: but its requests name that name.
struct HostNames {
    private let names: Set<String>
    private let addresses: Set<UInt128>

    /// - Parameters:
    ///   - names: those that this node is called by.
    ///   - addresses: its own; loopback's are always.
    init(_ names: [String], addresses: Set<UInt128>) {
        self.names = Set(names.map { $0.lowercased() }.filter { !$0.isEmpty } + ["localhost"])
        self.addresses = addresses
    }

    /// - Parameter host: a name or an address, perhaps with a port. Without one nobody was meant: no browser asks so.
    func contain(_ host: String?) -> Bool {
        guard let host else { return true }
        let name = Self.withoutPort(host).lowercased()
        if names.contains(name) { return true }
        guard let address = SocketAddress(name, port: 0) else { return false }
        return Self.isLoopback(address) || addresses.contains(address.address)
    }

    /// ::1, or 127.0.0.0/8.
    private static func isLoopback(_ address: SocketAddress) -> Bool {
        address.address == 1 || address.address >> 24 == 0xffff_7f
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        // An IPv6 address without brackets has no port.
        return host.split(separator: ":", omittingEmptySubsequences: false).count == 2
            ? String(host.prefix { $0 != ":" }) : host
    }
}
