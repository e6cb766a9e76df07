import DataPath
import Glibc
import Linux
import Testing

/// Peers that are ignored, beside one that is not, over a real network.
@Suite struct IgnoredPeerTests {
    enum Family: CaseIterable {
        case ipv4, ipv6

        /// Outside: the first is ignored.
        var ignored: String { self == .ipv4 ? "10.99.1.3" : "fd99:1::3" }
        var other: String { self == .ipv4 ? "10.99.1.5" : "fd99:1::5" }
    }

    /// A pod that ignores a range with each family's first peer.
    private func pod(_ loop: EventLoop, hook: TrafficHook? = nil) throws -> RedirectedPod {
        let one = try RedirectedPod(loop, hook: hook)
        try sh(
            """
            set -e
            for i in 3 5; do ip addr add 10.99.1.$i/24 dev veth1; ip addr add fd99:1::$i/64 dev veth1 nodad; done
            """)
        try one.redirector.ignore(try Self.ranges(), slot: 0)
        return one
    }

    private static func ranges() throws -> Set<AddressRange> {
        try [AddressRange("10.99.1.2/31"), AddressRange("fd99:1::2/127"), AddressRange("192.0.2.0/24")]
    }

    private func connect(
        _ one: RedirectedPod, _ family: Family, from source: String, port: UInt16 = 80
    ) throws -> TestPeer {
        let address = try #require(SocketAddress(family == .ipv4 ? one.pod.ipv4 : one.pod.ipv6, port: port))
        return try TestPeer.connect(one.loop, to: address, source: SocketAddress(source, port: 0))
    }

    @Test(arguments: [TrafficHook.tcx, .clsact], Family.allCases) func theirPacketsAreNoUse(
        _ hook: TrafficHook, _ family: Family
    ) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop, hook: hook)
            let server = try one.serve("hello")
            for (peer, counts) in [(family.ignored, false), (family.other, true)] {
                let client = try connect(one, family, from: peer)
                try loop.wait { client.text == "hello" }
                client.send("and more")
                try loop.wait { server.accepted.last?.text == "and more" }
                client.finish()
                try loop.wait { server.accepted.last?.hasEnded == true }
                #expect((one.redirector.lastActivity(of: [80]) != nil) == counts, "\(peer)")
            }
            // It counts again as soon as it is not ignored any more.
            let before = try #require(one.redirector.lastActivity(of: [80]))
            try one.redirector.ignore([], slot: 0)
            let client = try connect(one, family, from: family.ignored)
            try loop.wait { client.text == "hello" }
            #expect(try #require(one.redirector.lastActivity(of: [80])) > before)
        }
    }

    /// On a port that no packet rule knows only the tracker notes anything. It goes on to be there for the pod.
    @Test func theTrackerIsNotHeeded() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop)
            let server = try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: 4711)) { $0.send("hello") }
            func visit() throws {
                let client = try connect(one, .ipv4, from: Family.ipv4.ignored, port: 4711)
                try loop.wait { client.text == "hello" }
            }
            let installed = try #require(Tracker.installed)
            try visit()
            #expect(one.redirector.activePorts.isEmpty)
            try one.redirector.ignore([], slot: 0)
            try visit()
            #expect(Array(one.redirector.activePorts.keys) == [4711])
            try one.redirector.ignore(try Self.ranges(), slot: 0)
            #expect(Tracker.installed == installed)
            try Redirector.detach(pod: one.name)
            #expect(Tracker.installed == nil)
            withExtendedLifetime(server) {}
        }
    }

    /// The queue that others wait in stays as it is. The refusal itself is no use, and wakes nobody.
    @Test(arguments: Family.allCases) func theyAreRefusedAsleep(_ family: Family) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop)
            let server = try one.serve("hello")
            server.stopAccepting()
            let refusals = try RefusalWatch(of: one.redirector, loop: loop)
            var told = 0
            try refusals.start(0) { told += 1 }
            try one.redirector.refuse(at: [.init(.tcp, 80)], slot: 0)
            for port: UInt16 in [80, 81] {
                let refused = try connect(one, family, from: family.ignored, port: port)
                try loop.wait { refused.error != 0 }
                #expect(refused.error == ECONNREFUSED)
            }
            #expect(TCPSocket.waitingConnections(server.listener) == 0)
            #expect(one.redirector.counters.turnedAway == 1)
            #expect(one.redirector.lastActivity(of: [80]) == nil)
            let other = try connect(one, family, from: family.other)
            try loop.wait(looking: true) { other.isConnected && TCPSocket.waitingConnections(server.listener) == 1 }
            let stranger = try connect(one, family, from: family.other, port: 81)
            try loop.wait { stranger.error == ECONNREFUSED && told > 0 }
            #expect(told == 1)

            try one.redirector.admit(slot: 0)
            let late = try connect(one, family, from: family.ignored)
            try loop.wait(looking: true) { late.isConnected && TCPSocket.waitingConnections(server.listener) == 2 }
            #expect(one.redirector.counters.turnedAway == 1)
        }
    }

    /// Two containers listen on port 80, at different addresses, and a third ignores nobody.
    @Test(arguments: Family.allCases) func eachContainerRefusesForItself(_ family: Family) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop)
            let server = try one.serve("hello")
            func visit() throws -> TestPeer {
                let client = try connect(one, family, from: family.ignored)
                try loop.wait { client.error != 0 || client.text == "hello" }
                return client
            }
            try one.redirector.ignore(try Self.ranges(), slot: 1)
            try one.redirector.ignore([], slot: 2)
            for slot: UInt32 in [0, 1] { try one.redirector.refuse(at: [.init(.tcp, 80)], slot: slot) }
            #expect(try visit().error == ECONNREFUSED)
            for slot: UInt32 in [0, 2] { try one.redirector.admit(slot: slot) }
            #expect(try visit().error == ECONNREFUSED, "the other one sleeps on")
            // One that has gone says nothing any more.
            try one.redirector.ignore([], slot: 0)
            #expect(try visit().error == ECONNREFUSED)
            try one.redirector.admit(slot: 1)
            #expect(try visit().text == "hello")
            #expect(one.redirector.lastActivity(of: [80]) == nil)
            try one.redirector.ignore([], slot: 1)
            #expect(try visit().text == "hello")
            #expect(one.redirector.lastActivity(of: [80]) != nil)
            withExtendedLifetime(server) {}
        }
    }

    /// What is open goes on, asleep too.
    @Test(arguments: Family.allCases) func theirOpenConnectionsGoOn(_ family: Family) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop)
            let server = try one.serve("hello")
            let client = try connect(one, family, from: family.ignored)
            try loop.wait { client.text == "hello" }
            try one.redirector.refuse(at: [.init(.tcp, 80)], slot: 0)
            client.send("still here")
            try loop.wait { server.accepted.first?.text == "still here" }
            #expect(one.redirector.lastActivity(of: [80]) == nil)
        }
    }

    /// With `handover: relay`.
    @Test(arguments: Family.allCases) func theyAreNotRelayed(_ family: Family) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop)
            var calls = 0
            one.activator.hold { calls += 1 }
            try one.redirector.refuse(at: [.init(.tcp, 80)], slot: 0)
            try one.redirect()
            let refused = try connect(one, family, from: family.ignored)
            try loop.wait { refused.error == ECONNREFUSED }
            #expect(calls == 0 && one.activator.waiting == 0)
            let held = try connect(one, family, from: family.other)
            try loop.wait(looking: true) { held.isConnected && calls == 1 && one.activator.waiting == 1 }
        }
    }

    @Test(arguments: [TrafficHook.tcx, .clsact], Family.allCases) func theirDatagramsAreNoUseAndRefusedAsleep(
        _ hook: TrafficHook, _ family: Family
    ) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try pod(loop, hook: hook)
            try one.redirector.declare(datagramPorts: [53])
            func datagrams(_ family: Family) -> SharedDescriptor {
                let domain = family == .ipv4 ? AF_INET : AF_INET6
                let type = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
                return SharedDescriptor(Descriptor(owning: socket(domain, Int32(type), 0)))
            }
            let server = try one.pod.network.inside { () throws(SystemError) in
                let socket = datagrams(.ipv6)
                try TCPSocket.bind(socket.descriptor, to: SocketAddress(ipv6: 0, port: 53))
                return socket
            }
            func client(_ source: String) throws -> SharedDescriptor {
                let socket = datagrams(family)
                try TCPSocket.bind(socket.descriptor, to: try #require(SocketAddress(source, port: 0)))
                let address = family == .ipv4 ? one.pod.ipv4 : one.pod.ipv6
                try TCPSocket.connect(socket.descriptor, to: try #require(SocketAddress(address, port: 53)))
                return socket
            }
            func received() -> Int {
                var (byte, count) = (UInt8(0), 0)
                while recv(server.descriptor.rawValue, &byte, 1, 0) == 1 { count += 1 }
                return count
            }
            func last() -> UInt64? {
                (try? one.redirector.activityReader(ports: [], datagramPorts: [53]))?.now.datagramTimes[53]
            }
            let (ignored, other) = (try client(family.ignored), try client(family.other))
            _ = try ignored.descriptor.write([1])
            try loop.wait(looking: true) { received() == 1 }
            #expect(last() == 0)

            try one.redirector.refuse(at: [.init(.udp, 53)], slot: 0)
            _ = try ignored.descriptor.write([1])
            // The kernel of the pod says that nobody is there.
            try loop.wait(looking: true) { TCPSocket.takeError(ignored.descriptor) == ECONNREFUSED }
            #expect(received() == 0 && last() == 0)
            _ = try other.descriptor.write([1])
            try loop.wait(looking: true) { received() == 1 }
            #expect(try #require(last()) > 0)

            try one.redirector.admit(slot: 0)
            _ = try ignored.descriptor.write([1])
            try loop.wait(looking: true) { received() == 1 }
        }
    }

    /// A range with the node in it does not take its probes away; all else that the node wants is not worth a wake.
    @Test(arguments: [false, true]) func probesOfAnIgnoredNodeAreAnswered(_ ipv6: Bool) throws {
        try inScratch {
            let loop = try EventLoop()
            let (one, server) = try ReceptionTests.probedPod(loop)
            defer { withExtendedLifetime(server) {} }
            let node: Set<AddressRange> = try [AddressRange("10.99.1.1"), AddressRange("fd99:1::1")]
            try one.redirector.ignore(node, slot: 0)
            let awake = try ReceptionTests.ask(loop, one, ProbeBytes.http(), ipv6: ipv6)
            #expect(awake.text == ReceptionTests.answer)
            let captured = try #require(one.redirector.capturedRequests.first)
            #expect(captured.bytes == ProbeBytes.http())
            _ = try ReceptionTests.ask(loop, one, ProbeBytes.http(agent: "curl/8"), ipv6: ipv6)
            #expect(one.redirector.lastActivity(of: [80]) == nil)

            var manners = Reception.Manners()
            manners.ignoredPeers = node
            manners.answers[try #require(Question(captured))] = Array(ReceptionTests.answer.utf8)
            var wakes = 0
            one.activator.hold(manners) { wakes += 1 }
            try one.redirector.refuse(at: [.init(.tcp, 80)], slot: 0)
            try one.redirect()
            let probe = try ReceptionTests.ask(loop, one, ProbeBytes.http(), ipv6: ipv6)
            #expect(probe.text == ReceptionTests.answer)
            let other = try ReceptionTests.ask(loop, one, ProbeBytes.http(agent: "curl/8"), ipv6: ipv6)
            #expect(other.isOver && other.text.isEmpty)
            #expect(wakes == 0)
        }
    }
}
