import CLinux
import Glibc
import Linux
import Testing

@testable import DataPath

/// The relay between two real TCP connections.
@Suite struct RelayTests {
    /// client <-> relay <-> application
    final class Fixture {
        let loop: EventLoop
        let relay: Relay
        let client: TestPeer
        let application: TestPeer
        /// The relay's end of the application's connection. Only the relay keeps it open.
        let toApplication: Int32
        var closed = 0

        init(_ loop: EventLoop) throws {
            self.loop = loop
            relay = Relay(loop: loop)
            let (client, toClient) = try Self.pair(loop)
            let (application, toApplication) = try Self.pair(loop)
            self.client = client
            self.application = application
            self.toApplication = toApplication.number
            relay.add(client: toClient, application: toApplication) { [weak self] in self?.closed += 1 }
        }

        private static func pair(_ loop: EventLoop) throws -> (TestPeer, OpenSocket) {
            let listener = try TCPSocket.make(.ipv4)
            try TCPSocket.bind(listener, to: .loopback(.ipv4))
            try TCPSocket.listen(listener, backlog: 1)
            let peer = try TestPeer.connect(loop, to: try TCPSocket.localAddress(listener))
            var accepted: OpenSocket?
            try loop.wait {
                guard peer.isConnected, accepted == nil else { return accepted != nil }
                if let socket = try? TCPSocket.accept(listener) { accepted = OpenSocket(socket) }
                return accepted != nil
            }
            return (peer, try #require(accepted))
        }
    }

    static let million = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }

    @Test func eachDirectionEndsForItself() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            one.client.send("question")
            one.client.finish()
            try loop.wait { one.application.hasEnded }
            #expect(one.application.text == "question")
            #expect(!one.client.isOver)
            // The other half stays open for as long as the application likes.
            one.application.send("answer")
            try loop.wait { one.client.text == "answer" }
            #expect(one.relay.count == 1)
            one.application.send(", and more")
            one.application.finish()
            try loop.wait { one.client.hasEnded }
            #expect(one.client.text == "answer, and more")
            try loop.wait { one.closed == 1 }
            #expect(one.relay.count == 0)
            #expect(one.client.error == 0 && one.application.error == 0)
        }
    }

    @Test func theApplicationMayEndFirst() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            one.application.send("banner")
            one.application.finish()
            try loop.wait { one.client.hasEnded }
            #expect(one.client.text == "banner")
            one.client.send("still talking")
            try loop.wait { one.application.text == "still talking" }
            one.client.finish()
            try loop.wait { one.closed == 1 && one.application.hasEnded }
            #expect(one.client.error == 0 && one.application.error == 0)
        }
    }

    @Test func muchDataBothWaysAtOnceArrivesWhole() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            one.client.send(Self.million)
            one.application.send(Array(Self.million.reversed()))
            one.client.finish()
            one.application.finish()
            try loop.wait { one.client.hasEnded && one.application.hasEnded && one.closed == 1 }
            #expect(one.application.received == Self.million)
            #expect(one.client.received == Self.million.reversed())
        }
    }

    /// Whoever does not read stops the sender, and costs neither memory nor time.
    @Test func aSlowReaderStopsTheSender() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            one.client.reads = false
            // More than the buffers of all sockets on the way.
            let much = [UInt8](repeating: 1, count: 64 << 20)
            one.application.send(much)
            one.application.finish()
            one.client.send("done here")
            one.client.finish()
            try loop.wait { one.application.text == "done here" && one.application.hasEnded }
            // When all that can move has moved, with one end finished in both directions, nothing may spin.
            let rounds = try Self.roundsAtRest(of: loop, one.application)
            #expect(rounds < 1000, "the loop spins")
            #expect(one.application.unsentCount > 0)
            one.client.reads = true
            try loop.wait { one.client.hasEnded && one.closed == 1 }
            #expect(one.client.received.count == much.count)
        }
    }

    /// A socket that was ended both ways reports EPOLLHUP for as long as it is watched, also while there is data that
    /// cannot be passed on yet.
    @Test func anEndWhileTheOtherSideIsFullDoesNotSpin() throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            one.client.reads = false
            one.client.finish()
            try loop.wait { one.application.hasEnded }
            var sent = 0
            while Self.unread(one.toApplication) == 0 {
                one.application.send([UInt8](repeating: 1, count: 8 << 10))
                sent += 8 << 10
                _ = try Self.rounds(of: loop, during: .milliseconds(2))
            }
            one.application.finish()
            try loop.wait {
                var entry = pollfd(fd: one.toApplication, events: 0, revents: 0)
                return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
            }
            #expect(try Self.rounds(of: loop, during: .milliseconds(100)) < 1000, "the loop spins")
            one.client.reads = true
            try loop.wait { one.client.hasEnded && one.closed == 1 }
            #expect(one.client.received.count == sent)
        }
    }

    private static func unread(_ socket: Int32) -> Int32 {
        var count: Int32 = 0
        return zp_ioctl(socket, UInt(FIONREAD), &count) == 0 ? count : -1
    }

    private static func rounds(of loop: EventLoop, during span: Instant.Span) throws -> Int {
        var count = 0
        var isOver = false
        loop.after(span) { isOver = true }
        try loop.run(until: {
            count += 1
            return isOver
        })
        return count
    }

    /// Of a stretch in which nothing was taken from the sender.
    private static func roundsAtRest(of loop: EventLoop, _ sender: TestPeer) throws -> Int {
        while true {
            let unsent = sender.unsentCount
            let rounds = try rounds(of: loop, during: .milliseconds(100))
            if sender.unsentCount == unsent { return rounds }
        }
    }

    enum Breaking: CaseIterable {
        case client, application
    }

    @Test(arguments: Breaking.allCases) func aResetIsPassedOn(_ side: Breaking) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            let (breaking, other) = side == .client ? (one.client, one.application) : (one.application, one.client)
            breaking.send("some")
            try loop.wait { other.text == "some" }
            breaking.reset()
            try loop.wait { other.isOver && one.closed == 1 }
            #expect(other.error == ECONNRESET)
        }
    }

    @Test(arguments: Breaking.allCases) func aResetIsPassedOnWhileTheOtherSideIsFull(_ side: Breaking) throws {
        try inScratch {
            let loop = try EventLoop()
            let one = try Fixture(loop)
            let (breaking, other) = side == .client ? (one.client, one.application) : (one.application, one.client)
            other.reads = false
            breaking.send([UInt8](repeating: 1, count: 64 << 20))
            _ = try Self.roundsAtRest(of: loop, breaking)
            #expect(breaking.unsentCount > 0)
            breaking.reset()
            try loop.wait { one.closed == 1 }
            other.reads = true
            try loop.wait { other.isOver }
            #expect(other.error == ECONNRESET)
        }
    }
}
