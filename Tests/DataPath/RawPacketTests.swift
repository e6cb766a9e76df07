import DataPath
import Glibc
import Linux
import Testing

/// What came while the processes were away reaches the socket, whatever the network does meanwhile.
@Suite struct RawPacketTests {
    @Test(arguments: ["10.99.1.2", "fd99:1::2"], [TrafficHook.tcx, .clsact])
    func aHeldPacketIsDelivered(_ address: String, _ hook: TrafficHook) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, hook: hook)
            let server = try one.serve("hello")
            let client = try TestPeer.connect(loop, to: try #require(SocketAddress(address, port: 80)))
            try loop.wait { client.text == "hello" }
            // Its last acknowledgement is on its way.
            func connection() throws -> TCPConnection? {
                try TCPConnection.all(in: one.pod.network).first { $0.unacknowledged == 0 }
            }
            try loop.wait(looking: true) { (try? connection()) != nil }

            let arrivals = try Arrivals(pod: one.name, loop: loop)
            var arrived: [[UInt8]] = []
            try arrivals.handle(slot: 0) { arrived.append($0) }
            try one.redirector.connections.hold([try #require(try connection())], slot: 0)
            client.send("a request")
            try loop.wait { !arrived.isEmpty }
            #expect(server.accepted.first?.text == "")

            // What comes now can only be what was kept.
            try sh("ip link set veth1 down")
            try one.redirector.connections.letGo(slot: 0)
            try one.pod.network.inside { () throws(SystemError) in try RawPackets.deliver(arrived[0]) }
            try loop.wait { server.accepted.first?.text == "a request" }
            // Once more is none too many.
            try one.pod.network.inside { () throws(SystemError) in try RawPackets.deliver(arrived[0]) }
            try sh("ip link set veth1 up && ip addr replace fd99:1::1/64 dev veth1 nodad")
            client.send("!")
            try loop.wait { server.accepted.first?.text == "a request!" }
        }
    }

    @Test func whatIsNoPacketIsRefused() throws {
        for bytes in [[], [0x45], [UInt8](repeating: 0x45, count: 39), [UInt8](repeating: 0x60, count: 80)] as [[UInt8]]
        {
            #expect(throws: SystemError.self) { try RawPackets.deliver(bytes) }
        }
    }
}
