import DataPath
import Glibc
import Linux
import Testing

@testable import Shim

/// A port on which clients speak first: who says nothing and goes is nobody, and everybody else wakes.
@Suite struct SilentConnectionTests {
    /// What a container that sleeps leaves with its shim: a listening socket.
    private final class Sleeping {
        let loop: EventLoop
        let listener: SharedDescriptor
        let endpoints = SleepingEndpoints()
        private(set) var arrivals = 0
        var address: SocketAddress { get throws { try TCPSocket.localAddress(listener.descriptor) } }

        init(_ family: SocketAddress.Family = .ipv4, backlog: Int32 = 1024) throws {
            loop = try EventLoop()
            let socket = try TCPSocket.make(family)
            try TCPSocket.bind(socket, to: .loopback(family))
            try TCPSocket.listen(socket, backlog: backlog)
            listener = SharedDescriptor(socket)
        }

        /// - Parameter before: at the last moment in which nobody looks at the socket yet.
        func fallAsleep(_ before: () throws -> Void = {}) throws {
            let question = try WaitingQuestion(in: try Namespace.own(.network), endedBefore: [])
            let policy = WakePolicy(passivePorts: [], datagramPorts: [])
            #expect(try endpoints.areAtRest([listener.descriptor.rawValue], policy, question))
            try before()
            endpoints.awaitWords(on: [try address.port])
            let all: () throws(SystemError) -> [TCPConnection] = { () throws(SystemError) in try TCPConnection.all() }
            try endpoints.start(loop, connections: all) { [self] in arrivals += 1 }
        }

        func connect() throws -> SharedDescriptor {
            let client = try TCPSocket.make(try address.family)
            try client.setNonBlocking(false)
            try TCPSocket.connect(client, to: try address)
            return SharedDescriptor(client)
        }

        /// Connects and goes; comes back when the kernel has seen that.
        func scan(_ count: Int = 1) throws {
            let before = TCPSocket.waitingConnections(listener.descriptor)
            for _ in 0..<count { _ = try connect() }
            try loop.wait(looking: true) { TCPSocket.waitingConnections(self.listener.descriptor) == before + count }
        }

        /// Lets the loop do all that there is to do.
        func settle() throws {
            for _ in 1...3 {
                loop.soon { [loop] in loop.stop() }
                try loop.run()
            }
        }
    }

    @Test(arguments: [SocketAddress.Family.ipv4, .ipv6])
    func whoGoesWithoutAWordIsNobody(_ family: SocketAddress.Family) throws {
        try inScratch {
            let sleeping = try Sleeping(family)
            try sleeping.fallAsleep()
            for _ in 1...3 {
                try sleeping.scan()
                try sleeping.settle()
            }
            #expect(sleeping.arrivals == 0)
            // A request behind them, and one that ends at once: both are in the queue with all of it.
            let client = try sleeping.connect()
            _ = try client.descriptor.write([1])
            TCPSocket.endSending(client.descriptor)
            try sleeping.loop.wait { sleeping.arrivals == 1 }
            #expect(sleeping.endpoints.arrival()?.endpoint == .listener(port: try sleeping.address.port))
            #expect(TCPSocket.waitingConnections(sleeping.listener.descriptor) == 4)
        }
    }

    /// The kernel tells of them a second later; from then on that port's are told at once.
    @Test func whoIsSilentAndStaysWakes() throws {
        try inScratch {
            let sleeping = try Sleeping()
            try sleeping.fallAsleep()
            let client = try sleeping.connect()
            try sleeping.settle()
            #expect(sleeping.arrivals == 0)
            try sleeping.loop.wait { sleeping.arrivals == 1 }
            sleeping.endpoints.aboutToRun()
            #expect(try TCPSocket.accept(sleeping.listener.descriptor) != nil)
            try sleeping.fallAsleep()
            #expect(TCPSocket.deferral(of: sleeping.listener.descriptor.rawValue) == 0)
            _ = client
        }
    }

    /// Between the last look and the sleep.
    @Test(arguments: [false, true]) func whoCameInTheMiddleWakes(_ speaks: Bool) throws {
        try inScratch {
            let sleeping = try Sleeping()
            var client: SharedDescriptor?
            try sleeping.fallAsleep {
                client = try sleeping.connect()
                if speaks { _ = try client?.descriptor.write([1]) }
            }
            try sleeping.loop.wait { sleeping.arrivals == 1 }
            // For how long it has been silent nobody knows, so nothing is learnt from it.
            sleeping.endpoints.aboutToRun()
            #expect(try TCPSocket.accept(sleeping.listener.descriptor) != nil)
            try sleeping.fallAsleep()
            #expect(TCPSocket.deferral(of: sleeping.listener.descriptor.rawValue) != 0)
            _ = client
        }
    }

    /// What the application has closed, and its client has not, is nobody's. It does not wait in the queue.
    @Test func whatIsHalfClosedIsNobody() throws {
        try inScratch {
            let sleeping = try Sleeping()
            let client = try sleeping.connect()
            // What it gets it closes.
            #expect(try TCPSocket.accept(sleeping.listener.descriptor) != nil)
            let port = try sleeping.address.port
            #expect(try TCPConnection.all().contains { $0.inode == 0 && $0.local.port == port })
            try sleeping.fallAsleep()
            try sleeping.scan()
            try sleeping.settle()
            #expect(sleeping.arrivals == 0)
            _ = client
        }
    }

    /// They are in a queue in which others wait.
    @Test(arguments: [(Int32(1024), 257), (4, 3)]) func tooManyWake(_ backlog: Int32, _ count: Int) throws {
        try inScratch {
            let sleeping = try Sleeping(backlog: backlog)
            try sleeping.fallAsleep()
            try sleeping.scan(count - 1)
            try sleeping.settle()
            #expect(sleeping.arrivals == 0)
            try sleeping.scan()
            try sleeping.loop.wait { sleeping.arrivals == 1 }
        }
    }

    /// A SYN that brings data (TCP Fast Open).
    @Test func dataInTheFirstPacketWakes() throws {
        try inScratch {
            try Files.write("0x607", to: "/proc/sys/net/ipv4/tcp_fastopen")
            let sleeping = try Sleeping()
            try sleeping.fallAsleep()
            let client = try TCPSocket.make(try sleeping.address.family)
            let sent = try sleeping.address.withPointer { address, length in
                sendto(client.rawValue, [UInt8(1)], 1, Int32(MSG_FASTOPEN), .init(__sockaddr__: address), length)
            }
            #expect(sent == 1)
            try sleeping.loop.wait { sleeping.arrivals == 1 }
        }
    }

    @Test func theApplicationsOwnSettingIsAsBefore() throws {
        try inScratch {
            for own in [Int32(0), 7] {
                let sleeping = try Sleeping()
                let number = sleeping.listener.descriptor.rawValue
                TCPSocket.setDeferral(of: number, seconds: own)
                let before = TCPSocket.deferral(of: number)
                try sleeping.fallAsleep()
                #expect(TCPSocket.deferral(of: number) != 0)
                sleeping.endpoints.aboutToRun()
                #expect(TCPSocket.deferral(of: number) == before)
            }
        }
    }

    /// Who was silent when the application came back is its own as well.
    @Test func whoIsSilentAtTheWakeIsAccepted() throws {
        try inScratch {
            let sleeping = try Sleeping()
            try sleeping.fallAsleep()
            let client = try sleeping.connect()
            sleeping.endpoints.aboutToRun()
            try sleeping.loop.wait(looking: true) {
                TCPSocket.waitingConnections(sleeping.listener.descriptor) == 1
            }
            _ = client
        }
    }
}
