import DataPath
import Glibc
import Linux
import Testing

/// What becomes of connections that were held.
@Suite struct ActivatorTests {
    // MARK: Holding

    @Test func holdingBeginsAgainAfterEachWake() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            var clients: [TestPeer] = []
            var peers: [TestPeer] = []
            for round in 1...3 {
                try one.redirect()
                var calls = 0
                one.activator.hold { calls += 1 }
                clients.append(try one.connect())
                try loop.wait { calls == 1 }
                let server = try one.serve("\(round)")
                try one.redirect(false)
                one.activator.relay()
                try loop.wait { clients.last?.text == "\(round)" }
                // Connections of earlier rounds go on while the next is held.
                #expect(one.activator.counters.open == round)
                #expect(server.accepted.count == 1)
                peers += server.accepted
            }
            clients[0].send("still there?")
            try loop.wait { peers[0].text == "still there?" }
        }
    }

    @Test func aConnectionThatWaitsAlreadyIsToldOf() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let early = try one.connect()
            try loop.wait { early.isConnected }
            var calls = 0
            one.activator.hold { calls += 1 }
            try loop.wait { calls == 1 }
        }
    }

    @Test func thousandsOfConnectionsAreHeldAndServed() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            one.activator.hold {}
            let count = 2000
            let clients = try one.connect(count)
            for (index, client) in clients.enumerated() { client.send("request \(index)") }
            try loop.wait { clients.allSatisfy(\.isConnected) }
            try loop.wait { one.activator.waiting == count }

            let server = try one.serve("answer")
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { server.accepted.count == count && server.accepted.allSatisfy { !$0.received.isEmpty } }
            try loop.wait { clients.allSatisfy { $0.text == "answer" } }
            #expect(Set(server.accepted.map(\.text)) == Set((0..<count).map { "request \($0)" }))
            #expect(one.activator.counters.description == "held 2000, relayed 2000, refused 0, open 2000")
            for client in clients { client.finish() }
            for peer in server.accepted { peer.finish() }
            try loop.wait { one.activator.counters.open == 0 }
        }
    }

    @Test func connectionsBeyondTheQueueAreServedLater() throws {
        try inScratch {
            let loop = try EventLoop()
            let pod = try TestPod(1)
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: pod.network)
            let redirector = try Redirector(pod: "one")
            let activator = try Activator(loop: loop, networkNamespace: pod.network, queue: 64)
            try redirector.register(activator, slot: 0)
            try redirector.declare(ports: [80], slot: 0)
            try redirector.setRedirect(true, ports: [80])
            let address = try #require(SocketAddress(pod.ipv4, port: 80))
            let clients = try (0..<100).map { _ in try TestPeer.connect(loop, to: address) }
            for client in clients { client.send("request") }
            try loop.wait { activator.waiting == 65 }  // the kernel takes one more than the length
            let server = try TestServer(loop, in: pod, SocketAddress(ipv6: 0, port: 80)) { $0.send("late") }
            try redirector.setRedirect(false, ports: [80])
            activator.relay()
            try loop.wait { clients.allSatisfy { $0.text == "late" } }
            #expect(server.accepted.count == 100)
        }
    }

    @Test func handshakesWithCookiesEndAtTheActivatorToo() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            // 2: always, not only in a flood. The kernel then keeps nothing between SYN and ACK.
            try sh("ip netns exec pod1 sh -c 'echo 2 >/proc/sys/net/ipv4/tcp_syncookies'")
            try one.redirect()
            let client = try one.connect()
            client.send("request")
            try loop.wait { one.activator.waiting == 1 }
            #expect(one.redirector.counters.steered >= 2, "SYN and ACK")
            let server = try one.serve("answer")
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { client.text == "answer" && server.accepted.first?.text == "request" }
        }
    }

    // MARK: Handing over

    @Test func anApplicationThatDoesNotListenMeansAReset() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let client = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { client.error != 0 }
            #expect(client.error == ECONNRESET)
            #expect(one.activator.counters.description == "held 0, relayed 0, refused 1, open 0")
            #expect(one.messages.contains { $0.contains("did not take a connection") })
        }
    }

    @Test func withATimeOutTheApplicationMayListenLater() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let client = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            try one.redirect(false)
            one.activator.relay(connectTimeout: .seconds(20))
            var server: TestServer?
            loop.after(.milliseconds(30)) { server = try? one.serve("at last") }
            try loop.wait { client.text == "at last" }
            #expect(server?.accepted.count == 1)
        }
    }

    @Test func theTimeOutEnds() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let client = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            try one.redirect(false)
            let start = Instant.now
            one.activator.relay(connectTimeout: .milliseconds(50))
            try loop.wait { client.error != 0 }
            #expect(Instant.now.since(start) >= .milliseconds(50))
            #expect(client.error == ECONNRESET)
            try loop.wait { one.activator.counters.open == 0 }
        }
    }

    /// Descriptors are a property of the process: in a process of its own.
    @Test func withoutDescriptorsConnectionsWaitAndAreServed() async {
        await #expect(processExitsWith: .success) {
            try inScratch {
                let loop = try EventLoop()
                let one = try RedirectedPod(loop)
                try one.redirect()
                let clients = try one.connect(40)
                try loop.wait { one.activator.waiting == 40 }
                let server = try TestServer(loop, in: one.pod, SocketAddress(ipv6: 0, port: 80)) { peer in
                    peer.send("answer")
                    peer.finish()
                }
                // Room for a few relayed connections at a time: each takes two descriptors.
                server.reserve(40)
                let next = dup(0)
                close(next)
                var limit = rlimit(rlim_cur: rlim_t(next) + 9, rlim_max: 4096)
                setrlimit(__rlimit_resource(RLIMIT_NOFILE.rawValue), &limit)
                try one.redirect(false)
                one.activator.relay()
                var finished = 0
                try loop.wait {
                    for client in clients where client.hasEnded && !client.isFinishing {
                        client.finish()
                        finished += 1
                    }
                    server.forgetEnded()
                    return finished == 40 && one.activator.counters.open == 0
                }
                #expect(clients.allSatisfy { $0.text == "answer" })
                #expect(one.messages.contains { $0.contains("go on waiting") })
                #expect(one.activator.counters.refused == 0)
            }
        }
    }

    // MARK: Refusing and closing

    @Test func refusedClientsSeeAnEndAndNoReset() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let clients = try one.connect(3)
            clients[0].send("a request that nobody reads")
            clients[1].send([UInt8](repeating: 7, count: 300_000))
            try loop.wait { one.activator.waiting == 3 }
            // They look only when all is over: an end that a reset follows would be a reset to them.
            for client in clients { client.reads = false }
            one.activator.refuse()
            try loop.wait { one.activator.counters.refused == 3 && clients[1].unsentCount == 0 }
            for client in clients { client.finish() }
            try loop.wait { clients.allSatisfy(\.isClosed) }
            for client in clients { client.reads = true }
            try loop.wait { clients.allSatisfy(\.isOver) }
            #expect(clients.allSatisfy { $0.error == 0 && $0.received.isEmpty })

            // Also who comes later, until the mode changes.
            let late = try one.connect()
            late.send("late")
            try loop.wait { late.isOver }
            #expect(late.error == 0)
            #expect(one.activator.counters.refused == 4)
        }
    }

    @Test func closingResetsWhatIsLeft() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try RedirectedPod(loop)
            try one.redirect()
            let relayed = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            let server = try one.serve("hello")
            try one.redirect(false)
            one.activator.relay()
            try loop.wait { relayed.text == "hello" }
            try one.redirect()
            one.activator.hold {}
            let held = try one.connect()
            try loop.wait { one.activator.waiting == 1 }
            one.activator.close()
            try loop.wait { relayed.error != 0 && held.error != 0 && server.accepted[0].error != 0 }
            #expect([relayed.error, held.error, server.accepted[0].error] == [ECONNRESET, ECONNRESET, ECONNRESET])
            #expect(try sh("ip netns exec pod1 ss -Htln sport != 80").isEmpty)
        }
    }
}
