import CBPF
import CDataPath
import DataPath
import Glibc
import Linux
import Testing

/// The ingress program by BPF_PROG_TEST_RUN: what becomes of packets for connections whose processes are away.
@Suite struct ConnectionPacketTests {
    /// Answers of a tc program.
    static let (next, drop, redirect): (Int32, Int32, Int32) = (-1, 2, 7)

    /// A real connection over lo, and packets as its client would send them.
    final class Held {
        let loop: EventLoop
        let held: HeldConnections
        let arrivals: Arrivals
        let connection: TCPConnection
        private let server: TestServer
        private let client: TestPeer
        private(set) var arrived: [[UInt8]] = []

        var hasTimestamps = true
        /// How its packets come from outside, where NAT changes them.
        var meant: SocketAddress?
        static let received: UInt32 = 0xffff_fff0
        static let sent: UInt32 = 7_000

        init(_ address: String) throws {
            loop = try EventLoop()
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: try Namespace.own(.network))
            held = try Redirector(pod: "one").connections
            arrivals = try Arrivals(pod: "one", loop: loop)
            server = try TestServer(loop, try #require(SocketAddress(address, port: 80)))
            let client = try TestPeer.connect(loop, to: try #require(SocketAddress(address, port: 80)))
            self.client = client
            let server = server
            try loop.wait { client.isConnected && server.accepted.count == 1 }
            connection = try #require(try TCPConnection.all().first { $0.local.port == 80 })
            try arrivals.handle(slot: 3) { [unowned self] in arrived.append($0) }
        }

        func stop() throws {
            try held.hold(connection.translated(at: meant ?? connection.local, from: connection.remote), slot: 3)
        }

        func leave(isUnread: Bool = false) throws {
            try stop()
            let standing = HeldConnections.Standing(
                received: Self.received, sent: Self.sent, timestamp: hasTimestamps ? 1_000 : nil, window: 500,
                isUnread: isUnread)
            #expect(try held.leave([connection.inode: standing], slot: 3))
        }

        /// The number of packets that have been told of: what is there is readable at once.
        func told() throws -> Int {
            var isOver = false
            loop.soon { isOver = true }
            try loop.run(until: { isOver })
            return arrived.count
        }

        func packet(
            _ flags: UInt8 = 0x10, at sequence: UInt32 = received, _ payload: [UInt8] = [], options: [UInt8]? = nil,
            port: UInt16? = nil, checksum: UInt16? = nil
        ) -> [UInt8] {
            let own: [UInt8] = hasTimestamps ? [1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 3, 0xe8] : []
            let options = options ?? own
            let isIPv4 = connection.local.family == .ipv4
            var tcp =
                ParsingTests.big(port ?? connection.remote.port) + ParsingTests.big(80) + Self.bytes(sequence)
                + Self.bytes(Self.sent) + [UInt8(20 + options.count) << 2, flags] + ParsingTests.big(512) + [
                    0, 0, 0, 0,
                ]
                + options + payload
            let addresses = Self.bytes(connection.remote, isIPv4) + Self.bytes(connection.local, isIPv4)
            let sum =
                checksum ?? Self.checksum(addresses + ParsingTests.big(6) + ParsingTests.big(UInt16(tcp.count)) + tcp)
            tcp.replaceSubrange(16..<18, with: ParsingTests.big(sum))
            if !isIPv4 {
                var bytes = ParsingTests.ipv6(6, tcp)
                bytes.replaceSubrange(22..<54, with: addresses)
                return bytes
            }
            var bytes = ParsingTests.ipv4(tcp)
            bytes.replaceSubrange(26..<34, with: addresses)
            return bytes
        }

        func pseudoHeaderSum(length: Int) -> UInt16 {
            let isIPv4 = connection.local.family == .ipv4
            let addresses = Self.bytes(connection.remote, isIPv4) + Self.bytes(connection.local, isIPv4)
            return ~Self.checksum(addresses + ParsingTests.big(6) + ParsingTests.big(UInt16(length)))
        }

        static func bytes(_ number: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        }

        static func bytes(_ address: SocketAddress, _ isIPv4: Bool) -> [UInt8] {
            (0..<16).map { UInt8(truncatingIfNeeded: address.address >> (120 - 8 * $0)) }.suffix(isIPv4 ? 4 : 16)
        }

        static func checksum(_ bytes: [UInt8]) -> UInt16 {
            var sum = 0
            for (place, byte) in bytes.enumerated() { sum += place.isMultiple(of: 2) ? Int(byte) << 8 : Int(byte) }
            while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
            return ~UInt16(sum)
        }
    }

    /// - Returns: what the program says, and the packet as it leaves it.
    static func run(_ packet: [UInt8]) throws -> (Int32, [UInt8]) {
        let path = "/sys/fs/bpf/zeropod/pods/one/zeropod_ingress"
        let descriptor = Descriptor(owning: try retrying("bpf_obj_get", path) { bpf_obj_get(path) })
        var out = [UInt8](repeating: 0, count: 4096)
        return try packet.withUnsafeBytes { packet in
            try out.withUnsafeMutableBytes { out in
                var options = bpf_test_run_opts()
                options.sz = MemoryLayout<bpf_test_run_opts>.size
                options.data_in = packet.baseAddress
                options.data_size_in = UInt32(packet.count)
                options.data_out = out.baseAddress
                options.data_size_out = UInt32(out.count)
                options.repeat = 1
                try retrying("bpf_prog_test_run") { bpf_prog_test_run_opts(descriptor.rawValue, &options) }
                return (Int32(bitPattern: options.retval), Array(out[..<Int(options.data_size_out)]))
            }
        }
    }

    static let addresses = ["127.0.0.1", "::1"]

    @Test(arguments: addresses) func awakeNothingIsHeld(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            for flags in [2, 16, 17, 4] as [UInt8] { #expect(try Self.run(one.packet(flags)).0 == Self.next) }
            try one.leave()
            try one.held.letGo(slot: 3)
            #expect(try Self.run(one.packet(24, at: Held.received, [1, 2])).0 == Self.next)
            #expect(try one.told() == 0)
        }
    }

    @Test(arguments: addresses) func strangersPass(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            try one.leave()
            for flags in [2, 16, 17, 4, 24] as [UInt8] {
                #expect(
                    try Self.run(one.packet(flags, at: Held.received, [1, 2, 3], port: one.connection.remote.port ^ 1))
                        .0 == Self.next)
            }
            #expect(try one.told() == 0)
        }
    }

    /// The processes stand still, and where the connection stands is not known yet.
    @Test(arguments: addresses) func stoppedDataIsWanted(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            try one.stop()
            #expect(try Self.run(one.packet()).0 == Self.drop)
            #expect(!one.held.isWanted(slot: 3))
            #expect(try Self.run(one.packet(24, at: Held.received, [1])).0 == Self.drop)
            #expect(one.held.isWanted(slot: 3))
            #expect(!one.held.isWanted(slot: 2))
            #expect(try !one.held.leave([:], slot: 3))
            #expect(try one.told() == 1)
        }
    }

    @Test(arguments: addresses) func acknowledgementsAreDropped(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            try one.leave()
            #expect(try Self.run(one.packet()).0 == Self.drop)
            #expect(!one.held.isWanted(slot: 3))
            #expect(try one.told() == 0)
        }
    }

    /// Who has not read all may have a peer that waits for room.
    @Test(arguments: addresses) func owedConnectionsAreWokenByAll(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            try one.leave(isUnread: true)
            #expect(try Self.run(one.packet()).0 == Self.drop)
            #expect(try Self.run(one.packet(at: Held.received &- 1)).0 == Self.drop)
            #expect(try one.told() == 2)
        }
    }

    @Test(arguments: addresses, [2, 17, 4, 20, 24, 16] as [UInt8])
    func allElseWakesAndIsKept(_ address: String, _ flags: UInt8) throws {
        try inScratch {
            let one = try Held(address)
            try one.leave()
            // Not what a keep-alive probe looks like, wherever it stands.
            let packet = one.packet(flags, at: Held.received, [7, 8, 9])
            #expect(try Self.run(packet).0 == Self.drop)
            #expect(try one.told() == 1)
            #expect(one.arrived == [Array(packet[14...])])
            #expect(one.held.isWanted(slot: 3))
            // With as many bytes as a network can have it is kept too, with more it is told of.
            let full = one.packet(flags, at: Held.received, [UInt8](repeating: 1, count: 1428))
            let tooLong = one.packet(flags, at: Held.received, [UInt8](repeating: 1, count: 2048))
            #expect(try Self.run(full).0 == Self.drop)
            #expect(try Self.run(tooLong).0 == Self.drop)
            #expect(try one.told() == 3)
            #expect(one.arrived[1...].map(\.count) == [full.count - 14, 0])
        }
    }

    struct Probe: Sendable, CustomTestStringConvertible {
        let address: String
        let hasTimestamps: Bool
        let payload: [UInt8]
        let isPartial: Bool
        var testDescription: String {
            "\(address), \(hasTimestamps ? "timestamps" : "plain"), \(payload.count) bytes, \(isPartial ? "checksum to come" : "whole")"
        }
    }

    static let probes = addresses.flatMap { address in
        [false, true].flatMap { hasTimestamps in
            [[], [0]].flatMap { payload in
                [false, true].map {
                    Probe(address: address, hasTimestamps: hasTimestamps, payload: payload, isPartial: $0)
                }
            }
        }
    }

    @Test(arguments: probes) func keepAliveProbesAreAnswered(_ probe: Probe) throws {
        try inScratch {
            let one = try Held(probe.address)
            one.hasTimestamps = probe.hasTimestamps
            try one.leave()
            let header = 20 + (probe.hasTimestamps ? 12 : 0)
            let checksum = probe.isPartial ? one.pseudoHeaderSum(length: header + probe.payload.count) : nil
            let packet = one.packet(at: Held.received &- 1, probe.payload, checksum: checksum)
            let (verdict, answer) = try Self.run(packet)
            #expect(verdict == Self.redirect)
            #expect(try one.told() == 0)
            #expect(one.held.counts(slot: 3).open == 1)
            #expect(one.held.counts(slot: 3).answered == 1)

            let isIPv4 = one.connection.local.family == .ipv4
            let (ip, tcp) = (14, isIPv4 ? 34 : 54)
            #expect(answer.count == tcp + header)
            #expect(answer[..<14] == packet[6..<12] + packet[..<6] + packet[12..<14])
            let ends = isIPv4 ? 26..<34 : 22..<54
            let half = ends.count / 2
            #expect(answer[ends] == packet[ends].suffix(half) + packet[ends].prefix(half))
            if isIPv4 { #expect(Held.checksum(Array(answer[ip..<tcp])) == 0) }
            let length = isIPv4 ? 20 + header : header
            #expect(Array(answer[isIPv4 ? 16..<18 : 18..<20]) == ParsingTests.big(UInt16(length)))
            #expect(Array(answer[tcp..<tcp + 4]) == Array(packet[tcp + 2..<tcp + 4] + packet[tcp..<tcp + 2]))
            #expect(Array(answer[tcp + 4..<tcp + 12]) == Held.bytes(Held.sent) + Held.bytes(Held.received))
            #expect(Array(answer[tcp + 12..<tcp + 16]) == [UInt8(header << 2), 16] + ParsingTests.big(500))
            if probe.hasTimestamps {
                #expect(Array(answer[(tcp + 20)...]) == [1, 1, 8, 10] + Held.bytes(1_000) + [0, 0, 0, 5])
            }
            let sum = Array(answer[tcp + 16..<tcp + 18])
            if probe.isPartial {
                #expect(sum == ParsingTests.big(one.pseudoHeaderSum(length: header)))
            } else {
                let whole =
                    Array(answer[ends]) + ParsingTests.big(6) + ParsingTests.big(UInt16(header)) + answer[tcp...]
                #expect(Held.checksum(whole) == 0)
            }
        }
    }

    /// Packets that come from within the pod have been through its NAT, and what is sent here would not go through it.
    @Test(arguments: addresses) func behindNATAllWakesAndNothingIsKept(_ address: String) throws {
        try inScratch {
            let one = try Held(address)
            one.meant = SocketAddress(address, port: 8000)
            try one.leave()
            #expect(one.held.counts(slot: 3).open == 1)
            #expect(try Self.run(one.packet()).0 == Self.drop)
            #expect(try one.told() == 0)
            #expect(try Self.run(one.packet(at: Held.received &- 1)).0 == Self.drop)
            #expect(try Self.run(one.packet(24, at: Held.received, [1])).0 == Self.drop)
            #expect(try one.told() == 2)
            #expect(one.arrived == [[], []])
            // From outside they have not: the destination is another.
            let (ports, tcp) = (ParsingTests.big(8000), address == "::1" ? 54 : 34)
            var probe = one.packet(at: Held.received &- 1)
            probe.replaceSubrange(tcp + 2..<tcp + 4, with: ports)
            #expect(try Self.run(probe).0 == Self.redirect)
            var data = one.packet(24, at: Held.received, [1])
            data.replaceSubrange(tcp + 2..<tcp + 4, with: ports)
            #expect(try Self.run(data).0 == Self.drop)
            #expect(try one.told() == 3)
            #expect(one.arrived.last == Array(data[14...]))
            #expect(one.held.counts(slot: 3).answered == 1)
            #expect(one.held.resets(slot: 3).count == 1)
            try one.held.letGo(slot: 3)
            #expect(try Self.run(data).0 == Self.next)
            #expect(try Self.run(one.packet(24, at: Held.received, [1])).0 == Self.next)
        }
    }

    /// What nobody sends, or we would answer wrongly.
    @Test func aStrangeProbeWakes() throws {
        try inScratch {
            let one = try Held("127.0.0.1")
            try one.leave()
            let sack: [UInt8] = [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2]
            for options in [[], sack, sack + sack] as [[UInt8]] {
                #expect(try Self.run(one.packet(at: Held.received &- 1, options: options)).0 == Self.drop)
            }
            #expect(try one.told() == 3)
        }
    }
}
