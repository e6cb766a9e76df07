import DataPath
import Glibc
import Linux
import Testing

/// Real connections through the redirect, in every way into a pod.
@Suite struct RedirectTests {
    /// The slot behind the last one is the first container's reception.
    @Test func aSlotTooFarIsRefused() throws {
        try inScratch {
            let one = try RedirectedPod(try EventLoop())
            #expect(throws: SystemError.self) { try one.redirector.register(one.activator, slot: Redirector.slots) }
        }
    }

    enum Way: String, CaseIterable {
        case ipv4Outside, ipv6Outside, ipv4Inside, ipv6Inside, ipv4Loopback, ipv6Loopback

        var isInside: Bool { self != .ipv4Outside && self != .ipv6Outside }
        var isIPv4: Bool { self == .ipv4Outside || self == .ipv4Inside || self == .ipv4Loopback }

        func address(_ pod: TestPod) throws -> SocketAddress {
            let text =
                switch self {
                case .ipv4Outside, .ipv4Inside: pod.ipv4
                case .ipv6Outside, .ipv6Inside: pod.ipv6
                case .ipv4Loopback: "127.0.0.1"
                case .ipv6Loopback: "::1"
                }
            return try #require(SocketAddress(text, port: 80))
        }

        func connect(_ loop: EventLoop, _ pod: TestPod, from port: UInt16 = 0) throws -> TestPeer {
            let address = try address(pod)
            if !isInside { return try TestPeer.connect(loop, to: address, from: port) }
            let home = try Namespace.own(.network)
            try pod.network.enter()
            defer { try? home.enter() }
            return try TestPeer.connect(loop, to: address, from: port)
        }
    }

    /// `::`, for both families.
    static let anywhere = SocketAddress(ipv6: 0, port: 80)

    @Test(arguments: Way.allCases) func holdsRelaysAndGetsOutOfTheWay(_ way: Way) throws {
        try inScratch {
            let loop = try EventLoop()
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            let redirector = try Redirector(pod: "one")
            let activator = try Activator(loop: loop, networkNamespace: pod.network) { Issue.record("\($0)") }
            try redirector.register(activator, slot: 0)
            try redirector.declare(ports: [80], slot: 0)

            // Awake: straight to the application.
            var server: TestServer? = try TestServer(loop, in: pod, Self.anywhere) { $0.send("awake") }
            let before = try way.connect(loop, pod)
            try loop.wait { before.text == "awake" }
            #expect(redirector.counters.steered == 0)

            // Asleep: nobody listens, and the connection is established all the same.
            try redirector.setRedirect(true, ports: [80])
            server = nil
            var calls = 0
            activator.hold { calls += 1 }
            let held = try way.connect(loop, pod)
            held.send("request")
            try loop.wait { held.isConnected && calls == 1 }
            let second = try way.connect(loop, pod)
            try loop.wait { second.isConnected }
            // The client's last packet may be on its way still.
            try loop.wait(looking: true) { activator.waiting == 2 }
            #expect(calls == 1)
            #expect(redirector.counters.description == "steered 2, received 0, without activator 0, refused 0")

            // Awake again: the same clients are served, at the address they meant.
            server = try TestServer(loop, in: pod, Self.anywhere) { $0.send("woken") }
            try redirector.setRedirect(false, ports: [80])
            activator.relay()
            try loop.wait { held.text == "woken" && second.text == "woken" }
            try loop.wait { server?.accepted.contains { $0.text == "request" } == true }
            #expect(server?.accepted.first?.localAddress == (try way.address(pod)))
            #expect(activator.counters.description == "held 2, relayed 2, refused 0, open 2")

            // From now on the activator has nothing to do with it.
            let after = try way.connect(loop, pod)
            try loop.wait { after.text == "woken" }
            #expect(activator.counters.description == "held 2, relayed 2, refused 0, open 2")
            #expect(redirector.counters.steered == 2)
            #expect(server?.accepted.last?.peerAddress == after.localAddress)
            activator.close()
        }
    }

    @Test func clsactRedirectsToo() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1, hook: .clsact)
            let server = try one.serve("hello")
            let direct = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait { direct.text == "hello" }
            let time = try #require(one.redirector.lastActivity(of: [80]))
            try one.redirector.setRedirect(true, ports: [80])
            one.activator.relay()
            one.activator.hold {}
            let held = try Way.ipv6Outside.connect(loop, one.pod)
            try loop.wait(looking: true) { held.isConnected && one.activator.waiting == 1 }
            #expect(try #require(one.redirector.lastActivity(of: [80])) > time)
            #expect(server.accepted.count == 1)
        }
    }

    @Test func onlyNewConnectionsAreRedirected() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1)
            let server = try one.serve("hello")
            let existing = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait { existing.text == "hello" }
            // The application still listens, and is passed over.
            try one.redirector.setRedirect(true, ports: [80])
            let new = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait(looking: true) { new.isConnected && one.activator.waiting == 1 }
            existing.send("still here")
            try loop.wait { server.accepted[0].text == "still here" }
            #expect(server.accepted.count == 1)
            #expect(one.redirector.redirectedPorts == [80])
        }
    }

    /// A client may use the four numbers of a connection that the server ended less than a minute ago.
    @Test(arguments: [Way.ipv4Outside, .ipv6Outside, .ipv4Loopback, .ipv6Loopback])
    func aConnectionInTimeWaitDoesNotStandInTheWay(_ way: Way) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1)
            var server: TestServer? = try TestServer(loop, in: one.pod, Self.anywhere) { $0.finish() }
            var first: TestPeer? = try way.connect(loop, one.pod, from: 5000)
            try loop.wait { first?.hasEnded == true }
            first = nil
            server = nil
            _ = server
            let inTimeWait = "ip netns exec pod1 ss -Htan state time-wait sport = 80"
            try loop.wait(looking: true) { (try? sh(inTimeWait))?.contains(":5000") == true }

            try one.redirector.setRedirect(true, ports: [80])
            var calls = 0
            one.activator.hold { calls += 1 }
            let second = try way.connect(loop, one.pod, from: 5000)
            try loop.wait { second.isConnected && calls == 1 }
            #expect(one.redirector.counters.steered == 1, "the first SYN was enough")
        }
    }

    @Test func linkLocalAddressesWork() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            let scope = try #require(try Interface.all().first { $0.name == "veth1" }).index
            try sh("ip addr add fe80::1/64 dev veth1 nodad; ip -n pod1 addr add fe80::2/64 dev eth0 nodad")
            let address = SocketAddress(ipv6: 0xfe80 << 112 | 2, port: 80, scope: scope)
            try one.redirect()
            let client = try TestPeer.connect(loop, to: address)
            try loop.wait { one.activator.waiting == 1 }
            let server = try one.serve("hello")
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { client.text == "hello" }
            #expect(server.accepted[0].localAddress?.address == address.address)
        }
    }

    @Test func podsDoNotSeeEachOther() throws {
        try inScratch {
            let loop = try EventLoop()
            let (one, two) = (try RedirectedPod(loop, 1), try RedirectedPod(loop, 2))
            let server = try two.serve("two")
            try one.redirector.setRedirect(true, ports: [80])
            let held = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait(looking: true) { held.isConnected && one.activator.waiting == 1 }
            #expect(two.redirector.lastActivity(of: [80]) == nil)

            let served = try Way.ipv4Outside.connect(loop, two.pod)
            try loop.wait { served.text == "two" }
            #expect(server.accepted.count == 1)
            #expect(two.activator.waiting == 0)
            #expect(two.redirector.counters.steered == 0)
            try Redirector.detach(pod: one.name)
            #expect(try Redirector(pod: two.name).lastActivity(of: [80]) != nil)
        }
    }

    /// Containers of one pod sleep one by one.
    @Test func portsGoToTheActivatorOfTheirSlot() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1)
            let other = try Activator(loop: loop, networkNamespace: one.pod.network)
            try one.redirector.register(other, slot: 63)
            try one.redirector.declare(ports: [81, 82], slot: 63)
            try one.redirector.setRedirect(true, ports: [80, 81])
            let first = try TestPeer.connect(loop, to: try #require(SocketAddress(one.pod.ipv4, port: 80)))
            let second = try TestPeer.connect(loop, to: try #require(SocketAddress(one.pod.ipv4, port: 81)))
            let third = try TestPeer.connect(loop, to: try #require(SocketAddress(one.pod.ipv4, port: 82)))
            try loop.wait { first.isConnected && second.isConnected && third.error != 0 }
            try loop.wait(looking: true) { [one.activator.waiting, other.waiting] == [1, 1] }
            #expect(third.error == ECONNREFUSED)
            // A slot whose activator is gone is as good as none.
            other.close()
            let fourth = try TestPeer.connect(loop, to: try #require(SocketAddress(one.pod.ipv4, port: 81)))
            try loop.wait { fourth.error == ECONNREFUSED }
            #expect(one.redirector.counters.withoutActivator == 1)
        }
    }

    @Test(arguments: [TrafficHook.tcx, .clsact]) func programsOfOthersSeeThePacketsToo(_ hook: TrafficHook) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1, hook: hook)
            // Another redirector's program stands for somebody else's, behind ours.
            let elsewhere = try RedirectedPod(loop, 2)
            switch hook {
            case .tcx:
                _ = try DataPathLoader.attach(pod: "other", networkNamespace: one.pod.network)
            case .clsact:
                let program = "/sys/fs/bpf/zeropod/pods/\(elsewhere.name)/zeropod_ingress"
                try sh(
                    "nsenter --net=/run/netns/pod1 tc filter add dev eth0 ingress prio 65000 bpf da pinned \(program)")
            }
            let other = try hook == .tcx ? Redirector(pod: "other") : elsewhere.redirector
            try other.declare(ports: [80], slot: 0)
            let server = try one.serve("hello")
            let client = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait { client.text == "hello" }
            #expect(server.accepted.count == 1)
            #expect(one.redirector.lastActivity(of: [80]) != nil)
            #expect(other.lastActivity(of: [80]) != nil)
        }
    }

    /// A program that lets a packet pass ends the chain; one that was there before ours must not hide what goes on.
    @Test(arguments: [TrafficHook.tcx, .clsact]) func whoEndsTheChainHidesNothing(_ hook: TrafficHook) throws {
        try inScratch {
            let loop = try EventLoop()
            let pod = try TestPod(1)
            let other = try PassingProgram(on: "eth0", of: pod, hook)
            defer { withExtendedLifetime(other) {} }
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network, hook: hook)
            let redirector = try Redirector(pod: "one")
            try redirector.declare(ports: [80], slot: 0)
            let server = try TestServer(loop, in: pod, Self.anywhere) { $0.send("hello") }
            let client = try Way.ipv4Outside.connect(loop, pod)
            try loop.wait { client.text == "hello" }
            #expect(server.accepted.count == 1)
            #expect(redirector.lastActivity(of: [80]) != nil)
        }
    }

    @Test func nobodyReachesTheActivatorButThroughTheRedirect() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1)
            let listeners = try sh("ip netns exec pod1 ss -Htln").split(separator: "\n")
            let port = try #require(
                listeners.first?.split(separator: " ")[3].split(separator: ":").last.flatMap { UInt16($0) })
            // The activator's and its reception's.
            #expect(listeners.count == 2)
            for text in [one.pod.ipv4, one.pod.ipv6] {
                let client = try TestPeer.connect(loop, to: try #require(SocketAddress(text, port: port)))
                try loop.wait { client.error != 0 }
                #expect(client.error == ECONNREFUSED)
            }
            // From inside it can be found, and does not relay to itself.
            one.activator.relay()
            let inside = try one.pod.network.inside { () throws(SystemError) in
                let socket = try TCPSocket.make(.ipv4)
                try TCPSocket.connect(socket, to: .loopback(.ipv4, port: port))
                return socket
            }
            let client = try TestPeer(loop: loop, inside, isConnected: false)
            try loop.wait { client.isOver }
            #expect(one.activator.counters.description == "held 0, relayed 0, refused 1, open 0")
        }
    }

    @Test func relayingWhileThePortIsStillRedirectedEnds() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1)
            try one.redirector.setRedirect(true, ports: [80])
            one.activator.relay()
            let client = try Way.ipv4Outside.connect(loop, one.pod)
            client.send("hello")
            try loop.wait { client.isOver && one.activator.counters.open == 0 }
            #expect(one.activator.counters.relayed + one.activator.counters.refused == 2)
            #expect(one.activator.counters.refused >= 1)
            #expect(one.messages.contains { $0.contains("leads back here") })
        }
    }

    @Test func aPodWithoutIPv6IsServed() throws {
        try inScratch {
            let loop = try EventLoop()
            let pod = try TestPod(1)
            try sh("ip netns exec pod1 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'")
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            let redirector = try Redirector(pod: "one")
            let activator = try Activator(loop: loop, networkNamespace: pod.network)
            try redirector.register(activator, slot: 0)
            try redirector.declare(ports: [80], slot: 0)
            try redirector.setRedirect(true, ports: [80])
            let client = try Way.ipv4Outside.connect(loop, pod)
            try loop.wait { client.isConnected }
            let server = try TestServer(loop, in: pod, SocketAddress(ipv4: 0, port: 80)) { $0.send("hello") }
            try redirector.setRedirect(false, ports: [80])
            activator.relay()
            try loop.wait { client.text == "hello" }
            #expect(server.accepted.count == 1)
        }
    }

    @Test func anApplicationThatReusesAddressesBindsBesideRelayedConnections() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop, 1)
            try one.redirector.setRedirect(true, ports: [80])
            let client = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait { client.isConnected }
            var server: TestServer? = try one.serve("first")
            try one.redirector.setRedirect(false, ports: [80])
            one.activator.relay()
            try loop.wait { client.text == "first" }
            server = nil
            // The relayed connection lives and holds port 80: bound again all the same.
            #expect(one.activator.counters.open == 1)
            server = try one.serve("second")
            let next = try Way.ipv4Outside.connect(loop, one.pod)
            try loop.wait { next.text == "second" }
            _ = server
        }
    }
}
