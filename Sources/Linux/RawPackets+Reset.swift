extension RawPackets {
    /// A packet that resets a connection, to be delivered. Its receiver believes the very next sequence number only
    /// (RFC 5961, 3.2).
    package static func reset(
        from source: SocketAddress, to destination: SocketAddress, sequence: UInt32, acknowledging received: UInt32
    ) -> [UInt8] {
        // 5 words of header, RST and ACK, no window; the checksum is computed on delivery.
        // One long sum would be too much for the type checker of Swift 6.2.
        let numbers = [bytes(source.port), bytes(destination.port), bytes(sequence), bytes(received)]
        let segment = numbers.flatMap(\.self) + [5 << 4, 0x14, 0, 0, 0, 0, 0, 0]
        let length = UInt16(segment.count)
        switch destination.family {
        case .ipv4:
            // The kernel fills the checksum in (raw(7)).
            let header = [0x45, 0] + bytes(20 + length) + [0, 0, 0x40, 0, 64, 6, 0, 0]
            return header + bytes(source.address).suffix(4) + bytes(destination.address).suffix(4) + segment
        case .ipv6:
            let header = [0x60, 0, 0, 0] + bytes(length) + [6, 64]
            return header + bytes(source.address) + bytes(destination.address) + segment
        }
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
