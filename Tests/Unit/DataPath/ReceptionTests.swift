import DataPath
import Glibc
import Linux
import Testing

/// Probes of a real pod over a real network, awake and asleep.
@Suite struct ReceptionTests {
    static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

    /// A pod that answers HTTP on port 80 and is known to be probed from this namespace.
    static func probedPod(_ loop: EventLoop, answers: @escaping () -> String = { answer }) throws -> (
        RedirectedPod, TestServer
    ) {
        let one = try RedirectedPod(loop)
        let addresses = try OwnAddresses.all()
        #expect(addresses.contains(try #require(SocketAddress("10.99.1.1", port: 0)).address))
        #expect(addresses.contains(try #require(SocketAddress("fd99:1::1", port: 0)).address))
        try one.redirector.setProbers(addresses)
        let server = try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: 80)) { peer in
            peer.onText = { [weak peer] text in
                if text.hasSuffix("\r\n\r\n") { peer?.send(answers()) }
            }
        }
        return (one, server)
    }

    /// Sends a request, and waits for the end or for the whole answer.
    static func ask(_ loop: EventLoop, _ one: RedirectedPod, _ bytes: [UInt8], ipv6: Bool = false) throws -> TestPeer {
        let address = try #require(SocketAddress(ipv6 ? one.pod.ipv6 : one.pod.ipv4, port: 80))
        let peer = try TestPeer.connect(loop, to: address)
        peer.send(bytes)
        try loop.wait { peer.isOver || peer.text.hasSuffix("ok\n") }
        return peer
    }

    @Test(arguments: [false, true]) func probesDoNotCountAndAreLearnt(_ ipv6: Bool) throws {
        try inScratch {
            let loop = try EventLoop()
            let (one, server) = try Self.probedPod(loop)
            let probe = try Self.ask(loop, one, ProbeBytes.http(), ipv6: ipv6)
            #expect(probe.text == Self.answer)
            probe.finish()
            #expect(one.redirector.lastActivity(of: [80]) == nil)
            let request = try #require(one.redirector.capturedRequests.first)
            #expect(request.bytes == ProbeBytes.http())
            #expect(request.asker == SocketAddress(ipv6 ? "fd99:1::1" : "10.99.1.1", port: 0)?.address)
            #expect(request.port == 80)

            // Before it sleeps, what it has answered is read, and it is not asked again.
            let question = try #require(Question(request))
            var learnt: [Question: Verdict]?
            try one.activator.network.read([request]) { learnt = $0 }
            try loop.wait { learnt != nil }
            #expect(learnt == [question: .well(Array(Self.answer.utf8))])
            #expect(one.redirector.lastActivity(of: [80]) == nil)
            #expect(server.accepted.count == 1)

            _ = try Self.ask(loop, one, ProbeBytes.http(agent: "curl/8"), ipv6: ipv6)
            #expect(one.redirector.lastActivity(of: [80]) != nil)
        }
    }
}

extension ReceptionTests {
    /// A sleeping pod: nobody listens but the reception, which knows the answer to one probe.
    final class Sleeper {
        let one: RedirectedPod
        var wakes = 0
        var reasons: [String] = []

        /// - Parameter patience: So that a slow test is no client that says nothing; nil for that of pods.
        init(
            _ loop: EventLoop, passive: Set<UInt16> = [], known: [[UInt8]: [UInt8]],
            patience: Instant.Span? = .seconds(60), waiting: Set<UInt16> = []
        ) throws {
            one = try RedirectedPod(loop)
            try one.redirector.setProbers(try OwnAddresses.all())
            try one.redirector.declare(ports: [80], slot: 0, passive: passive)
            var manners = Reception.Manners()
            manners.passivePorts = passive
            manners.waitingPorts = waiting
            if let patience { manners.patience = patience }
            for asker in ["10.99.1.1", "fd99:1::1"] {
                let asker = try #require(SocketAddress(asker, port: 0)).address
                for (request, answer) in known {
                    manners.answers[try #require(Question(ProbeBytes.captured(request, by: asker)))] = answer
                }
            }
            manners.tell = { [unowned self] in reasons.append($0) }
            one.activator.hold(manners) { [unowned self] in wakes += 1 }
            try one.redirect()
        }

        func wakeUp(serving text: String) throws -> TestServer {
            let server = try one.serve(text)
            try one.redirect(false)
            one.activator.relay()
            return server
        }
    }

    @Test(arguments: [false, true]) func aKnownProbeIsAnsweredAsleep(_ ipv6: Bool) throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [ProbeBytes.http(): Array(Self.answer.utf8)])
            for _ in 1...3 {
                let probe = try Self.ask(loop, sleeper.one, ProbeBytes.http(), ipv6: ipv6)
                try loop.wait { probe.isOver }
                #expect(probe.text == Self.answer)
                #expect(probe.hasEnded && probe.error == 0)
            }
            #expect(sleeper.wakes == 0)
            #expect(sleeper.one.redirector.lastActivity(of: [80]) == nil)
            #expect(sleeper.one.redirector.counters.received > 0)
            #expect(loop.nextTimer == nil || sleeper.one.activator.counters.open == 0)
        }
    }

    @Test func aTCPProbeGoesUnnoticed() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [:])
            for _ in 1...5 {
                let probe = try sleeper.one.connect()
                try loop.wait { probe.isConnected }
                probe.finish()
                try loop.wait { probe.isOver }
            }
            #expect(sleeper.wakes == 0)
            #expect(sleeper.one.redirector.lastActivity(of: [80]) == nil)
        }
    }

    /// A client of the node's is none the worse: woken for at once, and not a byte is lost.
    @Test func aClientOfTheNodeWakesAndIsServedWhole() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [ProbeBytes.http(): Array(Self.answer.utf8)])
            let request = ProbeBytes.http("/" + String(repeating: "x", count: 100_000), agent: "curl/8")
            let client = try sleeper.one.connect()
            client.send(request)
            let silent = try sleeper.one.connect()
            try loop.wait { sleeper.wakes == 1 && silent.isConnected }
            let server = try sleeper.wakeUp(serving: "hello")
            try loop.wait { client.text == "hello" && silent.text == "hello" }
            try loop.wait { server.accepted.contains { $0.received == request } }
            #expect(sleeper.reasons.contains { $0.contains("wakes: its request is longer than 1024 bytes") })
        }
    }

    /// As in NodePort traffic whose source was made the node's: the server speaks first.
    @Test func whoSaysNothingIsServedToo() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [:], patience: nil)
            let client = try sleeper.one.connect()
            try loop.wait { sleeper.wakes == 1 }
            _ = try withExtendedLifetime(try sleeper.wakeUp(serving: "220 ready")) { _ in
                try loop.wait { client.text == "220 ready" }
            }
        }
    }

    /// A kubelet on a busy node: it has connected, and sends its request when it comes to it.
    @Test func whereTheApplicationWaitsSilenceDoesNotWake() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(
                loop, known: [ProbeBytes.http(): Array(Self.answer.utf8)], patience: .milliseconds(1), waiting: [80])
            let probe = try sleeper.one.connect()
            // One that says something is there for longer than the patience, and in its turn behind the silent one.
            for _ in 1...20 {
                let other = try Self.ask(loop, sleeper.one, ProbeBytes.http())
                try loop.wait { other.isOver }
            }
            #expect(sleeper.wakes == 0 && probe.isConnected && !probe.isOver)
            probe.send(ProbeBytes.http())
            try loop.wait { probe.isOver }
            #expect(probe.text == Self.answer)
            #expect(sleeper.wakes == 0)
        }
    }

    @Test func othersGoToTheActivator() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [ProbeBytes.http(): Array(Self.answer.utf8)])
            try sleeper.one.redirector.setProbers([])
            let client = try sleeper.one.connect()
            client.send(ProbeBytes.http())
            try loop.wait { sleeper.wakes == 1 }
            #expect(sleeper.one.activator.waiting == 1)
            #expect(sleeper.one.redirector.counters.received == 0)
        }
    }

    /// Another of the node's addresses is another asker.
    @Test func whatOneAskerGotIsNotAnothers() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [ProbeBytes.http(): Array(Self.answer.utf8)])
            try sh("ip addr add 10.77.0.1/32 dev lo")
            let other = try #require(SocketAddress("10.77.0.1", port: 0))
            try sleeper.one.redirector.setProbers([other.address])
            let client = try TestPeer.connect(
                loop, to: try #require(SocketAddress(sleeper.one.pod.ipv4, port: 80)), source: other)
            client.send(ProbeBytes.http())
            try loop.wait { sleeper.wakes == 1 }
            #expect(client.received.isEmpty)
            #expect(sleeper.reasons.contains { $0.contains("10.77.0.1") && $0.contains("has not been answered") })
        }
    }

    @Test func aPassivePortSaysOnlyThatItSleeps() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, passive: [80], known: [ProbeBytes.http(): Array(Self.answer.utf8)])
            for request in [ProbeBytes.http(), ProbeBytes.http("/x", agent: "Prometheus/3")] {
                let peer = try Self.ask(loop, sleeper.one, request)
                try loop.wait { peer.isOver }
                #expect(peer.text.hasPrefix("HTTP/1.1 503 "))
            }
            let other = try Self.ask(loop, sleeper.one, [0x16, 3, 1, 0, 0])
            #expect(other.hasEnded && other.error == 0 && other.received.isEmpty)
            #expect(sleeper.wakes == 0)
        }
    }

    /// The bytes of a kubelet's gRPC client, in the order and with the pauses that the protocol makes it keep.
    @Test func aHealthCheckIsAnsweredAsleep() throws {
        try inScratch {
            let loop = try EventLoop()
            let sleeper = try Sleeper(loop, known: [ProbeBytes.check("db"): VisitorTests.frames])
            let probe = try sleeper.one.connect()
            probe.send(ProbeBytes.preface + ProbeBytes.settings)
            try loop.wait { probe.received == ProbeBytes.settings }
            probe.send(ProbeBytes.acknowledgement + ProbeBytes.headers(timeout: "777m") + ProbeBytes.data("db"))
            try loop.wait { probe.isOver }
            #expect(probe.received == ProbeBytes.settings + ProbeBytes.acknowledgement + VisitorTests.frames)
            #expect(sleeper.wakes == 0)
        }
    }
}
