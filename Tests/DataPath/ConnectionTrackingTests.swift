import Linux
import Testing

/// How packets of connections come that NAT in a pod changes.
@Suite struct ConnectionTrackingTests {
    /// The pod's own end of a connection, whose other end has this port.
    private func end(_ pod: TestPod, peer: UInt16?) throws -> TCPConnection {
        try #require(try TCPConnection.all(in: pod.network).first { $0.remote.port == peer })
    }

    private func arrival(_ pod: TestPod, _ connection: TCPConnection) throws -> [String]? {
        let tracking = try pod.network.inside { () throws(SystemError) in try ConnectionTracking() }
        return try tracking.arrival(of: connection).map { ["\($0.local)", "\($0.remote)"] }
    }

    @Test(arguments: [false, true]) func whatIsLedHereArrivesAsItWasMeant(_ ipv6: Bool) throws {
        try inScratch {
            let loop = try EventLoop()
            let pod = try TestPod(1)
            let server = try TestServer(loop, in: pod, SocketAddress(ipv6: 0, port: 80))
            func connect(port: UInt16) throws -> UInt16? {
                let count = server.accepted.count
                let meant = try #require(SocketAddress(ipv6 ? pod.ipv6 : pod.ipv4, port: port))
                let client = try TestPeer.connect(loop, to: meant)
                try loop.wait { client.isConnected && server.accepted.count == count + 1 }
                clients.append(client)
                return client.localAddress?.port
            }
            var clients: [TestPeer] = []
            // Without rules nothing is tracked.
            #expect(try arrival(pod, end(pod, peer: connect(port: 80))) == nil)
            try sh(
                "ip netns exec pod1 \(ipv6 ? "ip6tables" : "iptables") -t nat -A PREROUTING -p tcp --dport 8000"
                    + " -j REDIRECT --to-ports 80")
            let led = try end(pod, peer: connect(port: 8000))
            let meant = led.local.with(port: 8000)
            #expect(try arrival(pod, led) == ["\(meant)", "\(led.remote)"])
            let plain = try end(pod, peer: connect(port: 80))
            #expect(try arrival(pod, plain) == ["\(plain.local)", "\(plain.remote)"])
            #expect(plain.translated(at: plain.local, from: plain.remote).count == 1)
        }
    }

    @Test(arguments: [false, true]) func whatIsLedElsewhereIsAnsweredFromThere(_ ipv6: Bool) throws {
        try inScratch {
            let loop = try EventLoop()
            let pod = try TestPod(1)
            let (meant, real) = ipv6 ? ("fd97::7", "fd99:1::1") : ("10.97.0.7", "10.99.1.1")
            try sh(
                "ip netns exec pod1 \(ipv6 ? "ip6tables" : "iptables") -t nat -A OUTPUT -p tcp -d \(meant)"
                    + " -j DNAT --to-destination \(ipv6 ? "[\(real)]" : real):8080")
            let server = try TestServer(loop, SocketAddress(ipv6: 0, port: 8080))
            let home = try Namespace.own(.network)
            try pod.network.enter()
            let client = try TestPeer.connect(loop, to: try #require(SocketAddress(meant, port: 80)))
            try home.enter()
            try loop.wait { client.isConnected && server.accepted.count == 1 }
            let own = try end(pod, peer: 80)
            let peer = try #require(SocketAddress(real, port: 8080))
            #expect(try arrival(pod, own) == ["\(own.local)", "\(peer)"])
        }
    }
}
