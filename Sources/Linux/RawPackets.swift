import Glibc

/// Packets that are sent with their own IP header (raw(7)).
package enum RawPackets {
    /// Sends a TCP packet from the calling thread's network namespace, whoever it is from; to an address of that
    /// namespace it goes over lo. Its checksum is computed: what came from a sender on this machine has none yet.
    package static func deliver(_ packet: [UInt8]) throws(SystemError) {
        guard let (packet, destination) = complete(packet) else {
            throw SystemError("deliver", "a packet", code: EINVAL)
        }
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = Descriptor(
            owning: try retrying("socket(raw)") {
                Glibc.socket(destination.family.number, type, Int32(IPPROTO_RAW))
            })
        try retrying("sendto", "\(destination)") {
            destination.withPointer { address, size in
                sendto(
                    socket.rawValue, packet, packet.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL),
                    __CONST_SOCKADDR_ARG(__sockaddr__: address), size)
            }
        }
    }

    /// The packet with its checksum, and whom it is for; nil if it is no TCP packet that could arrive.
    static func complete(_ packet: [UInt8]) -> (packet: [UInt8], destination: SocketAddress)? {
        guard let header = Header(packet) else { return nil }
        var packet = packet
        let field = header.length + 16
        packet.replaceSubrange(field..<field + 2, with: [0, 0])
        let sum = ~checksum(packet[header.length...], header.pseudo)
        packet.replaceSubrange(field..<field + 2, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
        return (packet, header.destination)
    }

    /// What is needed of an IP header without extensions.
    private struct Header {
        let length: Int
        let destination: SocketAddress
        /// The sum of the pseudo header (RFC 9293, 3.1).
        let pseudo: UInt32

        init?(_ packet: [UInt8]) {
            guard let first = packet.first else { return nil }
            switch first >> 4 {
            case 4 where packet.count >= 40 && packet[9] == 6:
                length = Int(first & 15) * 4
                guard length >= 20, packet.count >= length + 20 else { return nil }
                let number = packet[16..<20].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                destination = SocketAddress(ipv4: number, port: 0)
                pseudo = sum(packet[12..<20]) + 6 + UInt32(packet.count - length)
            case 6 where packet.count >= 60 && packet[6] == 6:
                length = 40
                let number = packet[24..<40].reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
                destination = SocketAddress(ipv6: number, port: 0)
                // An IPv4 address written as one of IPv6 is for sockets, and never on the wire.
                guard destination.family == .ipv6 else { return nil }
                pseudo = sum(packet[8..<40]) + 6 + UInt32(packet.count - length)
            default: return nil
            }
        }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>, _ start: UInt32) -> UInt16 {
        var total = sum(bytes) + start
        while total >> 16 != 0 { total = (total & 0xffff) + (total >> 16) }
        return UInt16(total)
    }

    /// Of 16-bit words, the last one filled up; of a packet it does not overflow.
    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var total: UInt32 = 0
        for (place, byte) in bytes.enumerated() { total += place.isMultiple(of: 2) ? UInt32(byte) << 8 : UInt32(byte) }
        return total
    }
}
