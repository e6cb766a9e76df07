import DataPath
import Glibc
import Linux
import Testing

/// One sleep and one wake for every kind of network and of packet: before, while and after a client is served by its
/// own connection, its packets count as activity, and every byte arrives.
@Suite struct EveryPacketTests {
    /// What is peculiar about a network, set up by a script that knows the pod as `pod1` and its device outside as `veth1`.
    struct Peculiarity: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var script = "true"
        /// Where the client connects to; the pod's own address if empty.
        var address = ""
        var port: UInt16 = 80
        /// Bytes of options that the client asks for in its IPv4 headers, or its IPv6 destination options.
        var ipv4Options: [UInt8] = []
        var ipv6Options: [UInt8] = []
        var client = "outside"
        /// The interface comes after the attachment, as one that a sidecar makes.
        var comesLater = false
        /// See `Tunnel`.
        var isTunnelled = false
    }

    static let peculiarities = [
        Peculiarity(testDescription: "none, IPv4"),
        Peculiarity(testDescription: "none, IPv6", address: "fd99:1::2"),
        Peculiarity(
            testDescription: "no IPv4", script: "ip -4 addr flush dev veth1; ip -4 -n pod1 addr flush dev eth0",
            address: "fd99:1::2"),
        Peculiarity(
            testDescription: "macvlan",
            script: """
                set -e
                ip link add veth97 type veth peer name lower
                ip addr add 10.98.3.1/24 dev veth97; ip link set veth97 up; ip link set lower up
                ip link add net1 link lower type macvlan mode bridge; ip link set net1 netns pod1
                ip -n pod1 addr add 10.98.3.2/24 dev net1; ip -n pod1 link set net1 up
                """, address: "10.98.3.2", comesLater: true),
        Peculiarity(
            testDescription: "IPv4 with options",
            // Record route with room for one address, then the end.
            ipv4Options: [7, 7, 4, 0, 0, 0, 0, 0]),
        Peculiarity(
            testDescription: "IPv6 with destination options", address: "fd99:1::2",
            // PadN of four bytes: nothing, in eight bytes with the header's own two.
            ipv6Options: [0, 0, 1, 4, 0, 0, 0, 0]),
        Peculiarity(
            testDescription: "all offloads off",
            script: """
                for off in tx rx tso gso gro sg; do
                    ethtool -K veth1 $off off; ip netns exec pod1 ethtool -K eth0 $off off
                done >/dev/null 2>&1; true
                """),
        Peculiarity(
            testDescription: "GRO on", script: "ethtool -K veth1 gro on && ip netns exec pod1 ethtool -K eth0 gro on"),
        Peculiarity(
            testDescription: "MTU 9000", script: "ip link set veth1 mtu 9000 && ip -n pod1 link set eth0 mtu 9000"),
        Peculiarity(
            testDescription: "MTU 576", script: "ip link set veth1 mtu 576 && ip -n pod1 link set eth0 mtu 576"),
        Peculiarity(
            testDescription: "SYN cookies", script: "ip netns exec pod1 sysctl -qw net.ipv4.tcp_syncookies=2"),
        Peculiarity(
            testDescription: "no timestamps", script: "ip netns exec pod1 sysctl -qw net.ipv4.tcp_timestamps=0"),
        Peculiarity(
            testDescription: "hostPort: DNAT on the node",
            script: """
                set -e
                sysctl -qw net.ipv4.ip_forward=1
                iptables -t nat -A OUTPUT -p tcp -d 10.97.0.1 --dport 8080 -j DNAT --to 10.99.1.2:80
                ip addr add 10.97.0.1/32 dev lo
                """, address: "10.97.0.1", port: 8080),
        Peculiarity(
            testDescription: "ClusterIP: DNAT and masquerade",
            script: """
                set -e
                sysctl -qw net.ipv4.ip_forward=1
                iptables -t nat -A OUTPUT -p tcp -d 10.96.0.10 --dport 80 -j DNAT --to 10.99.1.2:80
                iptables -t nat -A POSTROUTING -p tcp -d 10.99.1.2 -j MASQUERADE
                ip route add 10.96.0.0/16 dev veth1
                """, address: "10.96.0.10"),
        Peculiarity(
            testDescription: "a sidecar that redirects ports inside the pod",
            script: "ip netns exec pod1 iptables -t nat -A PREROUTING -p tcp --dport 8000 -j REDIRECT --to-ports 80",
            port: 8000),
        Peculiarity(testDescription: "a sidecar over lo", address: "127.0.0.1", client: "inside"),
    ]

    /// On the way packets may only be as long as IPv4 has to bear, and a SYN with all options is longer.
    static let inFragments = Peculiarity(
        testDescription: "IPv4 in fragments",
        script: """
            set -e
            ip netns add far
            ip link add veth98 type veth peer name eth0 netns far
            ip addr add 10.98.0.1/24 dev veth98; ip link set veth98 up
            ip -n far addr add 10.98.0.2/24 dev eth0; ip -n far link set eth0 up
            ip -n far route add default via 10.98.0.1
            ip netns exec far sysctl -qw net.ipv4.ip_no_pmtu_disc=1
            sysctl -qw net.ipv4.ip_forward=1
            # A fragment has 8 bytes of data, and a device's queue room for a thousand packets: a larger window would be
            # more than that, and the loss of a single one is waited for, for a second and longer.
            ip -n pod1 route add 10.98.0.0/24 via 10.99.1.1 window 4000
            ip route replace 10.99.1.0/24 dev veth1 mtu lock 68
            """,
        // Record route with room for nine addresses.
        ipv4Options: [7, 39, 4] + [UInt8](repeating: 0, count: 37), client: "far")

    static let vlan = Peculiarity(
        testDescription: "VLAN",
        script: """
            set -e
            ip link add link veth1 name vlan5 type vlan id 5
            ip addr add 10.98.1.1/24 dev vlan5; ip link set vlan5 up
            ip -n pod1 link add link eth0 name eth0.5 type vlan id 5
            ip -n pod1 addr add 10.98.1.2/24 dev eth0.5; ip -n pod1 link set eth0.5 up
            """, address: "10.98.1.2", comesLater: true)

    static let tunnelled = [
        Peculiarity(testDescription: "tun, IPv4", address: "10.98.2.2", comesLater: true, isTunnelled: true),
        Peculiarity(testDescription: "tun, IPv6", address: "fd98::2", comesLater: true, isTunnelled: true),
    ]

    static let kernelHasVLANs: Bool = {
        (try? sh("ip link add zpvlan0 link lo type vlan id 5 && ip link del zpvlan0")) != nil
    }()

    @Test(.enabled(if: kernelHasVLANs, "this kernel has no 8021q"), arguments: [TrafficHook.tcx, .clsact])
    func connectionsThroughAVLANAreWholeAndCount(_ hook: TrafficHook) throws {
        try connectionsAreWholeAndCount(Self.vlan, hook)
    }

    @Test(
        .enabled(if: Tunnel.isPossible, "there is no /dev/net/tun"), arguments: tunnelled, [TrafficHook.tcx, .clsact])
    func connectionsWithoutEthernetAreWholeAndCount(_ what: Peculiarity, _ hook: TrafficHook) throws {
        try connectionsAreWholeAndCount(what, hook)
    }

    @Test(.enabled(if: Tunnel.isPossible, "there is no /dev/net/tun"), arguments: [TrafficHook.tcx, .clsact])
    func aProbeWithoutEthernetDoesNotCount(_ hook: TrafficHook) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1, hook: hook)
            let tunnel = try Tunnel(loop, into: one.pod)
            defer { withExtendedLifetime(tunnel) {} }
            _ = try DataPathLoader.attach(pod: one.name, networkNamespace: one.pod.network, hook: hook)
            try one.redirector.setProbers([try #require(SocketAddress("10.98.2.1", port: 0)).address])
            let server = try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: 80)) { peer in
                peer.onText = { if $0.hasSuffix("\r\n\r\n") { peer.send("HTTP/1.1 200 OK\r\n\r\n") } }
            }
            let client = try TestPeer.connect(loop, to: try #require(SocketAddress("10.98.2.2", port: 80)))
            client.send(ProbeBytes.http())
            try loop.wait { client.text.hasSuffix("\r\n\r\n") }
            #expect(one.redirector.lastActivity(of: [80]) == nil)
            #expect(one.redirector.capturedRequests.map(\.bytes) == [ProbeBytes.http()])
            #expect(server.accepted.count == 1)
        }
    }

    @Test(arguments: peculiarities + [inFragments], [TrafficHook.tcx, .clsact])
    func connectionsAreWholeAndCount(_ what: Peculiarity, _ hook: TrafficHook) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1, hook: hook)
            try sh(what.script)
            let tunnel = what.isTunnelled ? try Tunnel(loop, into: one.pod) : nil
            defer { withExtendedLifetime(tunnel) {} }
            if what.comesLater {
                _ = try DataPathLoader.attach(pod: one.name, networkNamespace: one.pod.network, hook: hook)
            }
            let long = [UInt8]((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) })
            func serve() throws -> TestServer {
                try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: 80)) { $0.send(long) }
            }

            var server: TestServer? = try serve()
            let awake = try Self.connect(one, what)
            awake.send(long)
            try loop.wait { awake.received.count == long.count && server?.accepted.first?.received.count == long.count }
            #expect(awake.received == long && server?.accepted.first?.received == long)
            let active = try #require(one.redirector.lastActivity(of: [80]), "its packets count")

            try one.redirect()
            server = nil
            var calls = 0
            one.activator.hold { calls += 1 }
            let held = try Self.connect(one, what)
            held.send(long)
            try loop.wait { held.isConnected && calls == 1 }
            #expect(try #require(one.redirector.lastActivity(of: [80])) > active)

            server = try serve()
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { held.received.count == long.count && server?.accepted.first?.received.count == long.count }
            #expect(held.received == long && server?.accepted.first?.received == long)

            let after = try Self.connect(one, what)
            try loop.wait { after.received.count == long.count }
            #expect(one.activator.counters.relayed == 1)
            #expect(one.messages == [])
        }
    }

    static func connect(_ one: RedirectedPod, _ what: Peculiarity) throws -> TestPeer {
        let address = try #require(
            SocketAddress(what.address.isEmpty ? one.pod.ipv4 : what.address, port: what.port))
        func begin() throws -> TestPeer {
            let socket = try TCPSocket.make(address.family)
            if !what.ipv4Options.isEmpty {
                try set(socket, Int32(IPPROTO_IP), IP_OPTIONS, what.ipv4Options)
            }
            if !what.ipv6Options.isEmpty {
                try set(socket, Int32(IPPROTO_IPV6), IPV6_DSTOPTS, what.ipv6Options)
            }
            try TCPSocket.connect(socket, to: address)
            return try TestPeer(loop: one.loop, socket, isConnected: false)
        }
        if what.client == "outside" { return try begin() }
        let home = try Namespace.own(.network)
        if what.client == "far" {
            try Namespace(.network, path: "/run/netns/far").enter()
        } else {
            try one.pod.network.enter()
        }
        defer { try? home.enter() }
        return try begin()
    }

    private static func set(_ socket: borrowing Descriptor, _ level: Int32, _ option: Int32, _ bytes: [UInt8]) throws {
        try retrying("setsockopt", "\(level) \(option)") {
            setsockopt(socket.rawValue, level, option, bytes, socklen_t(bytes.count))
        }
    }

    /// Connections are told apart by all four numbers.
    @Test func clientsWithTheSameSourcePortAreStrangers() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try sh("for i in 3 4 5 6; do ip addr add 10.99.1.$i/24 dev veth1; done")
            func clients() throws -> [TestPeer] {
                try (3...6).map { number in
                    let socket = try TCPSocket.make(.ipv4)
                    try TCPSocket.set(.reuseAddress, true, of: socket)
                    try TCPSocket.bind(socket, to: try #require(SocketAddress("10.99.1.\(number)", port: 5555)))
                    try TCPSocket.connect(socket, to: try #require(SocketAddress(one.pod.ipv4, port: 80)))
                    let client = try TestPeer(loop: loop, socket, isConnected: false)
                    client.send("I am \(number)")
                    return client
                }
            }
            try one.redirect()
            let held = try clients()
            try loop.wait { one.activator.waiting == 4 }
            // Each hears its own words.
            let server = try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: 80))
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { server.accepted.count == 4 && server.accepted.allSatisfy { $0.received.count == 6 } }
            for peer in server.accepted { peer.send(peer.received) }
            try loop.wait { held.allSatisfy { $0.received.count == 6 } }
            #expect(held.map(\.text) == (3...6).map { "I am \($0)" })
        }
    }

    @Test func aHundredPortsOfOneContainer() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            let ports = Set((7000..<7100).map { UInt16($0) })
            try one.redirector.forget(ports: [80])
            try one.redirector.declare(ports: ports, slot: 0)
            try one.redirector.setRedirect(true, ports: ports)
            #expect(one.redirector.redirectedPorts == ports.sorted())
            let clients = try ports.sorted().map { port in
                try TestPeer.connect(loop, to: try #require(SocketAddress(one.pod.ipv4, port: port)))
            }
            try loop.wait { one.activator.waiting == 100 }
            let servers = try ports.sorted().map { port in
                try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: port)) { $0.send("port \(port)") }
            }
            try one.redirector.setRedirect(false, ports: ports)
            one.activator.relay()
            try loop.wait { clients.allSatisfy { $0.text.count == 9 } }
            #expect(clients.map(\.text) == ports.sorted().map { "port \($0)" })
            #expect(servers.allSatisfy { $0.accepted.count == 1 })
        }
    }
}
