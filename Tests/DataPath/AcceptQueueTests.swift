import DataPath
import Glibc
import Linux
import Testing

/// Connections that wait in an application's own sockets while it is away.
@Suite struct AcceptQueueTests {
    @Test func thisKernelCanHandOver() throws {
        try inScratch {
            #expect(AcceptQueueTrial.result == "it was not tried")
            AcceptQueueTrial.run()
            #expect(AcceptQueueTrial.result == nil)
        }
    }

    /// How an application may listen, and an address at which it is reached then.
    enum Listening: CaseIterable {
        case ipv4, bothFamilies, bothFamiliesByIPv6, ipv6Only, specific, specificIPv6

        var address: (listening: String, client: String) {
            switch self {
            case .ipv4: ("0.0.0.0", "10.99.1.2")
            case .bothFamilies: ("::", "10.99.1.2")
            case .bothFamiliesByIPv6, .ipv6Only: ("::", "fd99:1::2")
            case .specific: ("10.99.1.2", "10.99.1.2")
            case .specificIPv6: ("fd99:1::2", "fd99:1::2")
            }
        }
    }

    @Test(arguments: Listening.allCases) func theApplicationAcceptsWhatCameAsleep(_ listening: Listening) throws {
        try inScratch {
            let sleeper = try Sleeper(address: listening.address.listening, ipv6Only: listening == .ipv6Only)
            let early = try sleeper.connect(to: listening.address.client)
            try sleeper.loop.wait { early.text == "hello" }
            for cycle in 1...3 {
                try sleeper.fallAsleep()
                let clients = try (0..<20).map { _ in try sleeper.connect(to: listening.address.client) }
                let request = [UInt8](repeating: 7, count: 30_000)
                for client in clients { client.send(request) }
                try sleeper.loop.wait { sleeper.calls == cycle && sleeper.queues?.waiting == 20 }
                #expect(try sleeper.wake() == [])
                try sleeper.loop.wait { clients.allSatisfy { $0.text == "hello" } }
                let accepted = try #require(sleeper.server).accepted
                try sleeper.loop.wait { accepted.allSatisfy { $0.received.count == request.count } }
                // Nobody stands between them.
                #expect(Set(accepted.map(\.peerAddress)) == Set(clients.map(\.localAddress)))
            }
        }
    }

    /// As nginx with `reuseport`: each worker has a socket of its own. And a socket that another user made.
    @Test func groupsAndOtherOwnersAreHandedOverToo() throws {
        try inScratch {
            let sleeper = try Sleeper(members: 4, owner: 1000)
            for _ in 1...3 {
                try sleeper.fallAsleep()
                let clients = try (0..<100).map { _ in try sleeper.connect() }
                try sleeper.loop.wait { sleeper.queues?.waiting == 100 }
                #expect(try sleeper.wake() == [])
                try sleeper.loop.wait { clients.allSatisfy { $0.text == "hello" } }
            }
        }
    }

    @Test func fiveThousandAreHeldAndServed() throws {
        try inScratch {
            let sleeper = try Sleeper()
            let somaxconn = "ip netns exec pod1 cat /proc/sys/net/core/somaxconn"
            let before = try sh(somaxconn)
            DescriptorLimit.raise()
            try sleeper.fallAsleep()
            let clients = try (0..<5000).map { _ in try sleeper.connect() }
            try sleeper.loop.wait { sleeper.queues?.waiting == 5000 }
            #expect(try sleeper.wake() == [])
            try sleeper.loop.wait { clients.allSatisfy { $0.text == "hello" || $0.error != 0 } }
            #expect(clients.allSatisfy { $0.error == 0 })
            #expect(try sh(somaxconn) == before)
        }
    }

    @Test func clientsThatResetMeanwhileTakeNothingWithThem() throws {
        try inScratch {
            let sleeper = try Sleeper()
            try sleeper.fallAsleep()
            let clients = try (0..<10).map { _ in try sleeper.connect() }
            try sleeper.loop.wait { clients.allSatisfy(\.isConnected) && sleeper.queues?.waiting == 10 }
            for client in clients[..<5] { client.reset() }
            #expect(try sleeper.wake() == [])
            try sleeper.loop.wait { clients[5...].allSatisfy { $0.text == "hello" } }
        }
    }

    @Test func aCheckpointThatIsGivenUpChangesNothing() throws {
        try inScratch {
            let sleeper = try Sleeper(backlog: 7)
            let before = try sleeper.listeners()
            let queues = try sleeper.keepQueues()
            #expect(queues.ports == [80])
            // The application still runs, and accepts.
            let client = try sleeper.connect()
            try sleeper.loop.wait { client.text == "hello" }
            #expect(try queues.handOver() == [])
            #expect(try sleeper.listeners() == before)
            let next = try sleeper.connect()
            try sleeper.loop.wait { next.text == "hello" }
        }
    }

    @Test func anApplicationThatListensNoMoreIsTold() throws {
        try inScratch {
            let sleeper = try Sleeper()
            try sleeper.fallAsleep()
            let client = try sleeper.connect()
            try sleeper.loop.wait { sleeper.queues?.waiting == 1 }
            #expect(try sleeper.queues?.handOver().map(\.description) == ["[::]:80"])
            try sleeper.loop.wait { client.error == ECONNRESET }
        }
    }

    @Test func refusedClientsSeeAnEndAndNoReset() throws {
        try inScratch {
            let sleeper = try Sleeper()
            let activator = try Activator(loop: sleeper.loop, networkNamespace: sleeper.pod.network)
            try sleeper.fallAsleep()
            let client = try sleeper.connect()
            client.send("a request that nobody reads")
            let queues = try #require(sleeper.queues)
            try sleeper.loop.wait { queues.waiting == 1 }
            activator.refuse(queues)
            try sleeper.loop.wait { client.isOver }
            #expect(client.error == 0)
            let late = try sleeper.connect()
            try sleeper.loop.wait { late.error == ECONNREFUSED }
        }
    }

    @Test func portsThatNobodyListensOnAreLeftOut() throws {
        try inScratch {
            let sleeper = try Sleeper()
            let queues = try AcceptQueues(
                of: [getpid()], ports: [80, 81], in: sleeper.pod.network, loop: sleeper.loop)
            #expect(queues.ports == [80])
        }
    }

    /// A thousand connections a second, while the application comes and goes as fast as it can.
    @Test func noConnectionMeetsAGap() throws {
        try inScratch {
            let sleeper = try Sleeper()
            var clients: [TestPeer] = []
            var (served, cycles) = (0, 0)
            // On a slow machine each sleep has more clients, and the cycles take longer.
            var next = Instant.now
            while served < 3000 || cycles <= 100 {
                try sleeper.fallAsleep()
                // Each sleep lasts until somebody knocks, and each wake until he is served.
                while Instant.now >= next && clients.count < 200 {
                    clients.append(try sleeper.connect())
                    next = next + .milliseconds(1)
                }
                try sleeper.loop.wait { clients.isEmpty || sleeper.calls > cycles }
                #expect(try sleeper.wake() == [])
                cycles += clients.isEmpty ? 0 : 1
                try sleeper.loop.wait { clients.allSatisfy { $0.text == "hello" || $0.isOver } }
                #expect(clients.allSatisfy { $0.error == 0 })
                served += clients.count
                clients = []
            }
        }
    }
}
