import Glibc

/// The IP addresses of the calling thread's network namespace.
package enum OwnAddresses {
    /// getifaddrs(3), without those of loopback interfaces. IPv4 addresses are mapped, as in `SocketAddress`.
    package static func all() throws(SystemError) -> Set<UInt128> {
        var list: UnsafeMutablePointer<ifaddrs>?
        try retrying("getifaddrs") { getifaddrs(&list) }
        defer { freeifaddrs(list) }
        var addresses: Set<UInt128> = []
        var next = list
        while let interface = next?.pointee {
            next = interface.ifa_next
            // Interfaces without an address, and link-layer addresses, are in the list too.
            guard interface.ifa_flags & UInt32(IFF_LOOPBACK) == 0, let raw = interface.ifa_addr,
                let address = SocketAddress(raw)
            else { continue }
            addresses.insert(address.address)
        }
        return addresses
    }
}
