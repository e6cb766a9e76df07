@testable import Linux

extension FuzzTarget {
    /// A packet that came for a connection while its processes were away: it is sent in again, with its checksum.
    static let packets = FuzzTarget("packets") { bytes in
        guard let (packet, destination) = RawPackets.complete(bytes) else { return }
        let isIPv6 = packet[0] >> 4 == 6
        let (header, addresses) = isIPv6 ? (40, 8..<40) : (Int(packet[0] & 15) * 4, 12..<20)
        precondition(header >= 20 && packet.count >= header + 20, "headers that are not there")
        precondition(destination.family == (isIPv6 ? .ipv6 : .ipv4))
        let field = header + 16..<header + 18
        precondition(packet.count == bytes.count)
        precondition(packet.indices.allSatisfy { packet[$0] == bytes[$0] || field.contains($0) }, "another packet")
        // RFC 1071: the sum of everything with the checksum is a multiple of 65535.
        let segment = packet[header...]
        let words = packet[addresses] + segment
        let sum = words.enumerated().reduce(6 + segment.count) {
            $0 + Int($1.element) << ($1.offset.isMultiple(of: 2) ? 8 : 0)
        }
        precondition(sum.isMultiple(of: 0xffff), "a wrong checksum")
    }
}
