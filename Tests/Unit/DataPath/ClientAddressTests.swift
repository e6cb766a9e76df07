import DataPath
import Glibc
import Linux
import Testing

/// An application sees who called, also if its connection came by a relay.
@Suite struct ClientAddressTests {
    @Test func theApplicationSeesTheClient() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            one.activator.hold {}
            let outside = try ["10.99.1.2", "fd99:1::2"].map { try connect(one, to: $0) }
            // Through lo, from the pod's own addresses.
            let inside = try ["10.99.1.2", "fd99:1::2", "127.0.0.1", "::1"].map { address in
                try one.pod.network.inside { () throws(SystemError) in
                    let peer = Result { try connect(one, to: address) }
                    do { return try peer.get() } catch { throw SystemError("connect", address, code: EIO) }
                }
            }
            try loop.wait { one.activator.waiting == 6 }
            let server = try one.serve("hello")
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { (outside + inside).allSatisfy { $0.text == "hello" } }
            let seen = server.accepted.compactMap { $0.peerAddress?.with(port: 0) }
            #expect(
                Set(seen.map(\.description)) == [
                    "10.99.1.1:0", "[fd99:1::1]:0", "10.99.1.2:0", "[fd99:1::2]:0", "127.0.0.1:0", "[::1]:0",
                ])
            #expect(one.messages.isEmpty)

            // Both ways, and more than fits into a packet.
            let bytes = [UInt8](repeating: 7, count: 1 << 20)
            outside[0].send(bytes)
            try loop.wait { server.accepted.contains { $0.received.count == bytes.count } }
            for peer in server.accepted { peer.send("goodbye") }
            try loop.wait { outside.allSatisfy { $0.text == "hellogoodbye" } }
        }
    }

    @Test func whatItNeedsInThePodGoesAgain() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            let before = try state(of: one.pod)
            try one.redirect()
            let client = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            let server = try one.serve("hello")
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { client.text == "hello" }
            #expect(try state(of: one.pod) != before)
            // As long as there is a connection that needs it, it stays.
            one.activator.hold {}
            #expect(try state(of: one.pod) != before)
            client.finish()
            server.accepted[0].finish()
            try loop.wait { one.activator.counters.open == 0 }
            one.activator.hold {}
            #expect(try state(of: one.pod) == before)
        }
    }

    /// A client's own ports and those that the relay takes for it do not meet.
    @Test func thousandsOfOneClientAreToldApart() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            DescriptorLimit.raise()
            try one.redirect()
            one.activator.hold {}
            let held = try one.connect(3000)
            try loop.wait { one.activator.waiting == 3000 }
            let server = try one.serve("hello")
            try one.redirect(false)
            one.activator.relay()
            let direct = try one.connect(500)
            try loop.wait { (held + direct).allSatisfy { $0.text == "hello" || $0.isOver } }
            #expect((held + direct).allSatisfy { $0.text == "hello" && $0.error == 0 })
            #expect(Set(server.accepted.compactMap { $0.peerAddress?.with(port: 0).description }) == ["10.99.1.1:0"])
            #expect(one.activator.counters.refused == 0)
        }
    }

    @Test func aLimitEndsWhatLastsTooLong() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let client = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            let server = try one.serve("hello")
            try one.redirect(false)
            let start = Instant.now
            one.activator.relay(limit: .milliseconds(50))
            // On a slow machine before the greeting has come.
            try loop.wait { client.error == ECONNRESET && server.accepted.first?.error == ECONNRESET }
            #expect(Instant.now.since(start) >= .milliseconds(50))
            try loop.wait { one.activator.counters.open == 0 }
        }
    }

    private func connect(_ one: RedirectedPod, to address: String) throws -> TestPeer {
        try TestPeer.connect(one.loop, to: try #require(SocketAddress(address, port: 80)))
    }

    private func state(of pod: TestPod) throws -> String {
        try sh(
            """
            ip -n \(pod.name) rule; ip -n \(pod.name) -6 rule
            ip -n \(pod.name) route show table 31344 2>&- || true
            ip -n \(pod.name) -6 route show table 31344 2>&- || true
            ip netns exec \(pod.name) sh -c 'cat /proc/sys/net/ipv*/*fwmark_*'
            """)
    }
}
