import DataPath
import Glibc
import Linux
import Testing

/// Real connections through the redirect, in every way into a pod.
@Suite struct RedirectTests {
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
            #expect(calls == 1)
            #expect(activator.waiting == 2)
            #expect(redirector.counters.description == "steered 2, without activator 0, refused 0")

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
}
