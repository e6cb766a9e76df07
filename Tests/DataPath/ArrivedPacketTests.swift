import DataPath
import Testing

/// What is kept of the packets that came while the processes were away.
@Suite struct ArrivedPacketTests {
    static let (reset, data): (UInt8, UInt8) = (0x04, 0x18)

    /// - Parameter changing: what differs when it is sent again: the IP number, if there is one, and the timestamps.
    private func packet(_ flags: UInt8, isIPv4: Bool = true, at sequence: Int, changing: UInt8 = 0) -> [UInt8] {
        let tcp: [UInt8] =
            [0, 9, 0, 80, 0, 0, UInt8(sequence >> 8), UInt8(sequence & 255), 0, 0, 0, 1, 8 << 4, flags]
            + [UInt8](repeating: 0, count: 6) + [1, 1, 8, 10, 0, 0, 0, changing, 0, 0, 0, 0]
        let header: [UInt8] =
            isIPv4
            ? [0x45, 0, 0, 52, 0, changing, 0x40, 0, 64, 6, 0, 0] + [UInt8](repeating: 1, count: 8)
            : [0x60, 0, 0, 0, 0, 32, 6, 64] + [UInt8](repeating: 1, count: 32)
        return header + tcp
    }

    @Test(arguments: [true, false]) func whatIsSentAgainIsKeptOnce(_ isIPv4: Bool) {
        var arrived = ArrivedPackets()
        for changing in 0..<100 {
            arrived.keep(packet(Self.data, isIPv4: isIPv4, at: 1, changing: UInt8(changing)))
        }
        arrived.keep(packet(Self.data, isIPv4: isIPv4, at: 2))
        arrived.keep(packet(Self.reset, isIPv4: isIPv4, at: 2))
        #expect(
            arrived.packets == [
                packet(Self.data, isIPv4: isIPv4, at: 1), packet(Self.data, isIPv4: isIPv4, at: 2),
                packet(Self.reset, isIPv4: isIPv4, at: 2),
            ])
    }

    @Test func aResetIsKeptBeforeAllElse() {
        var arrived = ArrivedPackets()
        for sequence in 0..<100 { arrived.keep(packet(Self.data, at: sequence)) }
        #expect(arrived.packets.count == 64)
        arrived.keep(packet(Self.reset, at: 500))
        #expect(arrived.packets.count == 64)
        #expect(arrived.packets.last == packet(Self.reset, at: 500))
        // Whoever sends them: there is an end.
        for sequence in 600..<1000 { arrived.keep(packet(Self.reset, at: sequence)) }
        #expect(arrived.packets.count == 64)
        #expect(arrived.packets.allSatisfy { $0[33] == Self.reset })
    }

    @Test func whatIsNoPacketIsNotKept() {
        var arrived = ArrivedPackets()
        let whole = [packet(Self.data, at: 1), packet(Self.data, isIPv4: false, at: 1)]
        for packet in whole {
            for length in 0..<packet.count - 12 { arrived.keep(Array(packet[..<length])) }
        }
        arrived.keep([UInt8](repeating: 0x4f, count: 60))
        arrived.keep([UInt8](repeating: 0, count: 60))
        #expect(arrived.packets.isEmpty)
    }
}
