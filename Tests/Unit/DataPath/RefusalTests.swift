import DataPath
import Linux
import Testing

/// Connections to ports on which nobody listens, over a real network.
@Suite struct RefusalTests {
    private func refuse(_ loop: EventLoop, _ one: RedirectedPod, port: UInt16, ipv6: Bool = false) throws {
        let address = try #require(SocketAddress(ipv6 ? one.pod.ipv6 : one.pod.ipv4, port: port))
        let peer = try TestPeer.connect(loop, to: address)
        try loop.wait { peer.error != 0 }
    }

    @Test(arguments: [TrafficHook.tcx, .clsact], [false, true]) func theyAreTold(_ hook: TrafficHook, _ ipv6: Bool)
        throws
    {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, hook: hook)
            let watch = try RefusalWatch(of: one.redirector, loop: loop)
            // What nobody waited for is not told later.
            try refuse(loop, one, port: 81, ipv6: ipv6)
            let before = try #require(one.redirector.lastActivity(of: []))
            var told = [0, 0]
            for key in [0, 1] { try watch.start(UInt32(key)) { told[key] += 1 } }
            for count in 1...300 {
                try refuse(loop, one, port: 81, ipv6: ipv6)
                try loop.wait { told == [count, count] }
            }
            #expect(try #require(one.redirector.lastActivity(of: [])) > before)
            watch.stop(0)
            try refuse(loop, one, port: 81, ipv6: ipv6)
            try loop.wait { told == [300, 301] }
            watch.stop(1)
        }
    }

    /// Nothing that is served is refused, and what the pod asks itself is its own affair.
    @Test func nothingElseIsTold() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            let server = try one.serve("hello")
            let watch = try RefusalWatch(of: one.redirector, loop: loop)
            var told = 0
            try watch.start(0) { told += 1 }
            let client = try one.connect()
            try loop.wait { client.text == "hello" }
            client.reset()
            let home = try Namespace.own(.network)
            try one.pod.network.enter()
            let inside = try TestPeer.connect(loop, to: .loopback(.ipv4, port: 81))
            try home.enter()
            try loop.wait { inside.error != 0 }
            // Told after the others, had they been.
            try refuse(loop, one, port: 81)
            try loop.wait { told > 0 }
            #expect(told == 1)
            withExtendedLifetime(server) {}
        }
    }
}
