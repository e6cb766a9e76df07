/// Packets that are kept to be sent in again: as many as it is worth to be faster for.
package struct ArrivedPackets {
    /// In the order they came in.
    package private(set) var packets: [[UInt8]] = []
    private var identities: [Identity] = []

    /// What comes besides its sender sends again, if it is no RST.
    private static let most = 64

    package init() {}

    /// Keeps a packet, from its IP header on, unless it is there already or there are too many.
    package mutating func keep(_ packet: [UInt8]) {
        guard let identity = Identity(packet), !identities.contains(identity) else { return }
        if packets.count == Self.most {
            // One that is sent again makes room for one that is not.
            guard identity.isReset, let other = identities.lastIndex(where: { !$0.isReset }) else { return }
            packets.remove(at: other)
            identities.remove(at: other)
        }
        packets.append(packet)
        identities.append(identity)
    }

    /// What is the same in a packet that is sent again: its IP number and TCP's timestamps differ.
    private struct Identity: Equatable {
        let addresses: ArraySlice<UInt8>
        let portsAndSequence: ArraySlice<UInt8>
        let flags: UInt8

        var isReset: Bool { flags & 4 != 0 }

        /// nil if the packet is empty, or none of TCP's without IPv6 extension headers.
        init?(_ packet: [UInt8]) {
            guard let first = packet.first else { return nil }
            let start: Int
            switch first >> 4 {
            case 4:
                start = Int(first & 15) * 4
                guard start >= 20, packet.count >= start + 20, packet[9] == 6 else { return nil }
                addresses = packet[12..<20]
            case 6:
                start = 40
                guard packet.count >= start + 20, packet[6] == 6 else { return nil }
                addresses = packet[8..<40]
            default: return nil
            }
            portsAndSequence = packet[start..<start + 8]
            flags = packet[start + 13]
        }
    }
}
