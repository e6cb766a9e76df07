import DataPath
import Glibc
import Linux
import Testing

/// What the sockets and named pipes of a sleeper tell of those who want something of it.
@Suite struct EndpointTests {
    private let all = WakePolicy(passivePorts: [], datagramPorts: nil)

    private func listener() throws -> Descriptor {
        let socket = try TCPSocket.make(.ipv4)
        try TCPSocket.bind(socket, to: .loopback(.ipv4))
        try TCPSocket.listen(socket, backlog: 4)
        return socket
    }

    private func connect(to listener: borrowing Descriptor) throws -> Descriptor {
        let client = try TCPSocket.make(.ipv4)
        try client.setNonBlocking(false)
        try TCPSocket.connect(client, to: try TCPSocket.localAddress(listener))
        return client
    }

    private func udp(connectedTo port: UInt16? = nil) throws -> Descriptor {
        let socket = Descriptor(owning: Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        try TCPSocket.bind(socket, to: .loopback(.ipv4))
        if let port { try TCPSocket.connect(socket, to: .loopback(.ipv4, port: port)) }
        return socket
    }

    @Test func socketsAreToldApart() throws {
        try inScratch {
            let listener = try listener()
            let port = try TCPSocket.localAddress(listener).port
            let client = try connect(to: listener)
            let clientPort = try TCPSocket.localAddress(client).port
            let datagrams = try udp()
            let datagramPort = try TCPSocket.localAddress(datagrams).port
            let connected = try udp(connectedTo: datagramPort)
            let local = Descriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
            let packets = Descriptor(owning: socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), 0))
            #expect(Endpoint(of: listener.rawValue) == .listener(port: port))
            #expect(Endpoint(of: client.rawValue) == .connection(localPort: clientPort))
            #expect(Endpoint(of: datagrams.rawValue) == .datagrams(port: datagramPort))
            #expect(Endpoint(of: connected.rawValue) == .other)
            #expect(Endpoint(of: local.rawValue) == .local)
            #expect(Endpoint(of: packets.rawValue) == .other)
        }
    }

    @Test func whatWakesIsAPolicy() throws {
        try inScratch {
            let listener = try listener()
            let port = try TCPSocket.localAddress(listener).port
            let policies: [(WakePolicy, Bool)] = [
                (all, true),
                (WakePolicy(passivePorts: [port == 1 ? 2 : 1], datagramPorts: []), true),
                (WakePolicy(passivePorts: [port], datagramPorts: []), false),
            ]
            let client = try connect(to: listener)
            for (policy, wakes) in policies {
                let watch = try EndpointWatch([listener.rawValue], policy)
                #expect(try watch.takeReadable() == (wakes ? [listener.rawValue] : []))
                // It waits all the same.
                #expect(watch.waiting == 1)
            }
            _ = consume client
        }
    }

    /// Its peer may say and end what it likes. Whose a new connection is, is asked before it comes here.
    @Test func aConnectionOfAnIgnoredPeerDoesNotWake() throws {
        try inScratch {
            let listener = try listener()
            for (range, wakes) in [("127.0.0.0/8", false), ("127.0.0.2", true), ("::1", true)] {
                let client = try connect(to: listener)
                guard let accepted = try TCPSocket.accept(listener) else {
                    Issue.record("no connection waits")
                    return
                }
                let policy = WakePolicy(
                    passivePorts: [], datagramPorts: [], ignoredPeers: [try AddressRange(range)])
                let watch = try EndpointWatch([accepted.rawValue], policy)
                #expect(watch.connections == 1)
                _ = try client.write([1])
                #expect(try watch.takeReadable() == (wakes ? [accepted.rawValue] : []))
                TCPSocket.endSending(client)
                #expect(try watch.takeReadable() == (wakes ? [accepted.rawValue] : []))
            }
        }
    }

    @Test func whatWasThereIsToldOnceAndWhatComesOnceMore() throws {
        try inScratch {
            let listener = try listener()
            let client = try connect(to: listener)
            guard let accepted = try TCPSocket.accept(listener) else {
                Issue.record("no connection waits")
                return
            }
            _ = try client.write([1])
            let watch = try EndpointWatch([listener.rawValue, accepted.rawValue], all)
            #expect(try watch.takeReadable() == [accepted.rawValue])
            #expect(try watch.takeReadable() == [])
            _ = try client.write([2])
            #expect(try watch.takeReadable() == [accepted.rawValue])
            let other = try connect(to: listener)
            #expect(try watch.takeReadable() == [listener.rawValue])
            #expect(watch.connections == 1)
            _ = consume other
        }
    }

    @Test func theLoopIsToldOnce() throws {
        try inScratch {
            let loop = try EventLoop()
            let datagrams = try udp()
            let watch = try EndpointWatch([datagrams.rawValue], all)
            #expect(try watch.takeReadable() == [])
            var count = 0
            try watch.start(loop) {
                count += 1
                loop.stop()
            }
            let sender = try udp(connectedTo: try TCPSocket.localAddress(datagrams).port)
            for _ in 0..<3 { _ = try sender.write([1]) }
            try loop.run()
            loop.soon { loop.stop() }
            try loop.run()
            #expect(count == 1)
        }
    }

    /// The limit of the network namespace and the length that the application asked for are as before.
    @Test func queuesAreLongerForAWhile() throws {
        try inScratch {
            let limit = try Files.readText("/proc/sys/net/core/somaxconn")
            let listener = try listener()
            let watch = try EndpointWatch([listener.rawValue], all)
            let lengthened = watch.lengthenQueues()
            #expect(lengthened.count == 1)
            #expect(TCPSocket.queueLength(listener.rawValue) == 16384)
            let clients = try (0..<50).map { _ in SharedDescriptor(try connect(to: listener)) }
            #expect(watch.waiting == 50)
            for queue in lengthened { queue.restore() }
            #expect(TCPSocket.queueLength(listener.rawValue) == 4)
            #expect(watch.waiting == 50)
            #expect(try Files.readText("/proc/sys/net/core/somaxconn") == limit)
            _ = consume clients
        }
    }

    /// Whether more has come shows by how much there is.
    @Test func whatIsUnreadIsCounted() throws {
        try inScratch {
            let datagrams = try udp()
            let sender = try udp(connectedTo: try TCPSocket.localAddress(datagrams).port)
            var amounts: [UInt64?] = [Endpoint.unread(datagrams.rawValue)]
            for _ in 0..<2 {
                _ = try sender.write([1])
                amounts.append(Endpoint.unread(datagrams.rawValue))
            }
            let counted = amounts.compactMap { $0 }
            #expect(counted.count == 3 && counted[0] < counted[1] && counted[1] < counted[2], "\(amounts)")
            let pipe = try Descriptor.pipe()
            _ = try pipe.write.write([1, 2, 3])
            #expect(Endpoint.unread(pipe.read.rawValue) == 3)
            // Of these it cannot be told, so they always count.
            #expect(Endpoint.unread(try listener().rawValue) == nil)
        }
    }
}
