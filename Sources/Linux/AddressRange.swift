/// The IP addresses that begin with the same bits, as `10.0.0.0/8`, `fd00::/8` or a single address name them. IPv4 addresses
/// are mapped, as in `SocketAddress`; so `::/0` has them, too.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let address: UInt128
    /// How many bits; at most 128, also of IPv4.
    package let length: Int

    /// What is wrong with a text, and what would be right.
    package struct Complaint: Error, Equatable {
        package let text: String
    }

    package init(_ text: String) throws(Complaint) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let address = SocketAddress(String(name), port: 0)?.address,
            let length = Self.length(parts.dropFirst().first, isIPv6: name.contains(":"))
        else {
            throw Complaint(
                text: "\(text) is neither an address nor a range of addresses, such as 10.0.0.7, 10.0.0.0/8 or fd00::/8"
            )
        }
        self.length = length
        self.address = length == 0 ? 0 : (address >> (128 - length)) << (128 - length)
        if self.address != address {
            throw Complaint(text: "\(text) has bits that are not part of the range: \(self) is meant, or \(name)")
        }
    }

    /// Of a mapped address.
    private static func length(_ text: Substring?, isIPv6: Bool) -> Int? {
        let most = isIPv6 ? 128 : 32
        guard let text else { return 128 }
        guard text.allSatisfy(\.isNumber), let length = Int(text), length <= most else { return nil }
        return 128 - most + length
    }

    package func contains(_ other: UInt128) -> Bool { length == 0 || (address ^ other) >> (128 - length) == 0 }

    package var description: String {
        let begin = SocketAddress(ipv6: address, port: 0)
        let isIPv4 = begin.family == .ipv4 && length >= 96
        return "\(begin.host)/\(isIPv4 ? length - 96 : length)"
    }
}

extension Sequence<AddressRange> {
    package func have(_ address: SocketAddress?) -> Bool {
        guard let address else { return false }
        return contains { $0.contains(address.address) }
    }
}
