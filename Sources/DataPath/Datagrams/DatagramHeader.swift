import Glibc
import Linux

/// What stands before the contents of a datagram: IP header and UDP header (RFC 791, RFC 8200, RFC 768).
struct DatagramHeader: Sendable {
    private let bytes: [UInt8]
    /// IPv4 does without a checksum of the contents.
    private let isIPv6: Bool

    private static let (udpSize, ipv6Size) = (8, 40)
    private static let hops: UInt8 = 64

    init(_ envelope: UDPSocket.Envelope) {
        let (source, destination) = (envelope.source, envelope.destination)
        let udp = Self.udpSize + envelope.length
        isIPv6 = destination.family == .ipv6
        let ip: [UInt8]
        if isIPv6 {
            ip =
                [0x60, 0, 0, 0] + Self.big(UInt16(udp)) + [UInt8(IPPROTO_UDP), Self.hops]
                + Self.big(source.address) + Self.big(destination.address)
        } else {
            // The kernel puts in the length, an identification and the checksum.
            ip =
                [0x45, 0, 0, 0, 0, 0, 0, 0, Self.hops, UInt8(IPPROTO_UDP), 0, 0]
                + Self.big(UInt32(truncatingIfNeeded: source.address))
                + Self.big(UInt32(truncatingIfNeeded: destination.address))
        }
        bytes = ip + Self.big(source.port) + Self.big(destination.port) + Self.big(UInt16(udp)) + [0, 0]
    }

    /// The packet with these contents.
    func packet(with contents: [UInt8]) -> [UInt8] {
        var packet = bytes + contents
        if isIPv6 {
            let sum = Self.checksum(packet)
            packet.replaceSubrange(Self.ipv6Size + 6..<Self.ipv6Size + 8, with: Self.big(sum))
        }
        return packet
    }

    /// Over addresses, length and protocol, header and contents.
    private static func checksum(_ packet: [UInt8]) -> UInt16 {
        var sum = UInt32(packet.count - ipv6Size) + UInt32(IPPROTO_UDP)
        for place in 8..<packet.count {
            sum += place.isMultiple(of: 2) ? UInt32(packet[place]) << 8 : UInt32(packet[place])
        }
        while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
        let result = ~UInt16(sum)
        // 0 would mean that there is none.
        return result == 0 ? 0xffff : result
    }

    private static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
