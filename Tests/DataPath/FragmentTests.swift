import DataPath
import Glibc
import Testing

@testable import Linux

/// TCP in fragments over a real network, for connections whose processes are away.
@Suite struct FragmentTests {
    /// The network takes packets in parts, and the kernel has them all but for those of held connections.
    @Test(arguments: [TrafficHook.tcx, .clsact])
    func aRequestInFragmentsWakesAndComesAgain(_ hook: TrafficHook) throws {
        try inScratch {
            let what = EveryPacketTests.inFragments
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, hook: hook)
            try sh(what.script)
            let server = try one.serve("hello")
            let client = try EveryPacketTests.connect(one, what)
            try loop.wait { client.text == "hello" }
            let request = [UInt8]((0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            client.send(request)
            try loop.wait { server.accepted.first?.received == request }
            #expect(try Fragments.reassembled(in: one.pod, ipv6: false).whole > 0)

            let arrivals = try Arrivals(pod: one.name, loop: loop)
            var arrived: [[UInt8]] = []
            try arrivals.handle(slot: 0) { arrived.append($0) }
            let connection = try #require(try TCPConnection.all(in: one.pod.network).first { $0.local.port == 80 })
            try one.redirector.connections.hold([connection], slot: 0)
            client.send(request)
            try loop.wait { arrived.contains([]) }
            #expect(server.accepted.first?.received == request)

            // Meanwhile others are served.
            let other = try EveryPacketTests.connect(one, what)
            other.send(request)
            try loop.wait { other.text == "hello" && server.accepted.last?.received == request }
            #expect(server.accepted.first?.received == request)

            try one.redirector.connections.letGo(slot: 0)
            try loop.wait { server.accepted.first?.received == request + request }
        }
    }

    /// Where the kernel looks for a listening socket it has the whole packet. IPv6 wants a whole header in the first one.
    @Test(arguments: [("10.99.1.2", 8), ("fd99:1::2", 24)]) func aSYNInFragmentsIsSteered(
        _ address: String, _ cut: Int
    ) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let pod = try #require(SocketAddress(address, port: 80))
            let isIPv6 = pod.family == .ipv6
            let source = try #require(SocketAddress(isIPv6 ? "fd99:1::1" : "10.99.1.1", port: 5555))
            // What is made for a reset has the same addresses. This has SYN instead, and 20 bytes of options: nothing.
            var packet = RawPackets.reset(from: source, to: pod, sequence: 7_000, acknowledging: 0)
            packet.replaceSubrange(packet.count - 8..<packet.count - 6, with: [10 << 4, 2])
            packet += [UInt8](repeating: 1, count: 20)
            packet.replaceSubrange(isIPv6 ? 4..<6 : 2..<4, with: ParsingTests.big(isIPv6 ? 40 : 60))
            let whole = try #require(RawPackets.complete(packet)?.packet)
            let network = try #require(SocketAddress(address, port: 0))
            let parts = Fragments.cut(whole, at: cut, identification: 0x1234)
            try Fragments.send(parts[1], to: network)
            try Fragments.send(parts[0], to: network)
            try loop.wait(looking: true) { one.redirector.counters.steered == 1 }
            #expect(try Fragments.reassembled(in: one.pod, ipv6: isIPv6).whole == 1)
        }
    }

    /// The first part came before the processes stood still, the second when they are gone.
    @Test(arguments: ["10.99.1.2", "fd99:1::2"], [TrafficHook.tcx, .clsact])
    func whatIsCompletedTooLateIsNotAnswered(_ address: String, _ hook: TrafficHook) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, hook: hook)
            let pod = try #require(SocketAddress(address, port: 80))
            let network = try #require(SocketAddress(address, port: 0))
            let isIPv6 = pod.family == .ipv6
            var server: TestServer? = try one.serve("hello")
            let client = try TestPeer.connect(loop, to: pod)
            try loop.wait { client.text == "hello" }
            let arrivals = try Arrivals(pod: one.name, loop: loop)
            var arrived: [[UInt8]] = []
            try arrivals.handle(slot: 0) { arrived.append($0) }
            let connection = try #require(try TCPConnection.all(in: one.pod.network).first { $0.local.port == 80 })
            try one.redirector.connections.hold([connection], slot: 0)
            client.send([UInt8](repeating: 1, count: 100))
            try loop.wait { arrived.contains { $0.count > 100 } }

            let packet = try #require(arrived.first { $0.count > 100 }.flatMap { RawPackets.complete($0)?.packet })
            let parts = Fragments.cut(packet, at: 64, identification: 0x1234)
            try one.redirector.connections.letGo(slot: 0)
            try Fragments.send(parts[0], to: network)
            try loop.wait(looking: true) {
                (try? Fragments.reassembled(in: one.pod, ipv6: isIPv6).parts) == 1
            }
            try one.redirector.connections.hold([connection], slot: 0)
            // As criu leaves a socket to be closed: nobody is told.
            var accepted: TestPeer? = try #require(server?.accepted.first)
            var on: Int32 = 1
            try retrying("setsockopt", "TCP_REPAIR") {
                setsockopt(
                    accepted?.socket.rawValue ?? -1, Int32(IPPROTO_TCP), TCP_REPAIR, &on,
                    socklen_t(MemoryLayout<Int32>.size))
            }
            server = nil
            accepted = nil

            try Fragments.send(parts[1], to: network)
            // By the time that this one is refused, the other has been looked at.
            let refused = try TestPeer.connect(loop, to: pod)
            try loop.wait { refused.error == ECONNREFUSED }
            #expect(try Fragments.reassembled(in: one.pod, ipv6: isIPv6).whole == 0)
            #expect(client.error == 0 && !client.isClosed)
        }
    }
}
