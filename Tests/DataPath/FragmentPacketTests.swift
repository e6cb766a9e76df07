import CBPF
import CDataPath
import DataPath
import Glibc
import Linux
import Testing

/// The ingress program by BPF_PROG_TEST_RUN: TCP in fragments, while connections are held.
@Suite struct FragmentPacketTests {
    typealias Held = ConnectionPacketTests.Held
    static let (next, drop) = (ConnectionPacketTests.next, ConnectionPacketTests.drop)

    private func run(_ packet: [UInt8]) throws -> Int32 { try ConnectionPacketTests.run(packet).0 }

    /// A packet of a connection, cut after `cut` bytes of TCP.
    private func fragments(
        of packet: [UInt8], at cut: Int, identification: UInt16 = 7, options: Bool = false
    ) -> [[UInt8]] {
        let (ethernet, packet) = (packet[..<14], Array(packet[14...]))
        return Fragments.cut(packet, at: cut, identification: identification, options: options).map { ethernet + $0 }
    }

    private static let request = [UInt8](repeating: 1, count: 400)

    @Test(arguments: ConnectionPacketTests.addresses) func awakeTheyPass(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            for fragment in fragments(of: one.packet(24, Self.request), at: 200) {
                #expect(try run(fragment) == Self.next)
            }
            try one.leave()
            try one.held.letGo(slot: 3)
            for fragment in fragments(of: one.packet(24, Self.request), at: 200) {
                #expect(try run(fragment) == Self.next)
            }
        }
    }

    /// Also of the smallest ones, which have the ports and not the flags.
    @Test(arguments: ConnectionPacketTests.addresses, [8, 24, 200])
    func theFirstOneWakesAndTheOthersAreDropped(_ address: String, _ cut: Int) throws {
        try inScratch {
            let one = try Held(address)
            try one.leave()
            let both = fragments(of: one.packet(24, Self.request), at: cut)
            #expect(try run(both[1]) == Self.drop)
            #expect(!one.held.isWanted(slot: 3))
            #expect(try one.told() == 0)
            for fragment in both { #expect(try run(fragment) == Self.drop) }
            #expect(one.held.isWanted(slot: 3))
            // A part of a packet is not kept.
            #expect(try one.told() == 1)
            #expect(one.arrived == [[]])
        }
    }

    @Test(arguments: ConnectionPacketTests.addresses) func theyGiveACheckpointUp(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            try one.stop()
            for fragment in fragments(of: one.packet(24, Self.request), at: 200) {
                #expect(try run(fragment) == Self.drop)
            }
            #expect(try !one.held.leave([:], slot: 3))
            #expect(try one.told() == 1)
        }
    }

    /// They came to the kernel with their first fragment, or do not come to it at all.
    @Test(arguments: ConnectionPacketTests.addresses, [false, true])
    func thoseOfOthersPassWithTheirFirst(_ address: String, _ options: Bool) throws {
        try inScratch {
            let one = try Held(address)
            let port = one.connection.remote.port ^ 1
            let packet = one.packet(24, Self.request, port: port)
            let before = fragments(of: packet, at: 200, identification: 8, options: options)
            #expect(try run(before[0]) == Self.next)
            try one.leave()
            #expect(try run(before[1]) == Self.drop)
            for identification in 100..<400 as Range<UInt16> {
                let both = fragments(of: packet, at: 200, identification: identification, options: options)
                #expect(try run(both[1]) == Self.drop)
                #expect(try run(both[0]) == Self.next)
                #expect(try run(both[1]) == Self.next)
                #expect(try run(both[1]) == Self.next)
            }
            #expect(try one.told() == 0)
        }
    }

    @Test func otherProtocolsPass() throws {
        try inScratch {
            let one = try Held("127.0.0.1")
            try one.leave()
            for fragment in [0x2000, 0x2010, 0x0010] as [UInt16] {
                #expect(try run(ParsingTests.ipv4(fragment: fragment, proto: 17)) == Self.next)
                #expect(try run(ParsingTests.ipv4(fragment: fragment, proto: 1)) == Self.next)
            }
            for next in [17, 58] as [UInt8] {
                let later = ParsingTests.fragment(offset: 2, next: next) + ParsingTests.tcp
                #expect(try run(ParsingTests.ipv6(ParsingTests.fragmentHeader, later)) == Self.next)
            }
            // A fragment that is the whole packet.
            let whole = [6, 0, 0, 0, 0, 0, 0, 1] + ParsingTests.tcp
            #expect(try run(ParsingTests.ipv6(ParsingTests.fragmentHeader, whole)) == Self.next)
        }
    }
}
