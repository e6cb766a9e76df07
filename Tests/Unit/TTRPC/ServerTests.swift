import Glibc
import Hex
import Linux
import Testing

@testable import TTRPC

/// The server against peers that do not keep the rules.
@Suite struct ServerTests {
    /// Sends bytes and gives the answers, of which so many are expected.
    func answers(to bytes: [UInt8], _ count: Int, _ bench: Bench) throws -> [String] {
        let peer = try RawPeer(bench)
        try peer.send(bytes) { try? peer.receive(count) { bench.stop() } }
        try bench.run()
        return peer.answers.map { "\($0.stream) \($0.code)" }
    }

    @Test func streamsAreOddAndRise() throws {
        let bench = try Bench()
        bench.serveEcho()
        let bytes = [1, 2, 0, 1, 5, 3, 7].flatMap { request($0) }
        #expect(
            try answers(to: bytes, 7, bench) == [
                "1 ok", "2 invalidArgument", "0 invalidArgument", "1 invalidArgument", "5 ok", "3 invalidArgument",
                "7 ok",
            ])
    }

    @Test func unknownTypesAreIgnored() throws {
        let bench = try Bench()
        bench.serveEcho()
        let unknown = [UInt8(0), 2, 4, 255].flatMap {
            Frame(stream: 9, kind: Frame.Kind(rawValue: $0), payload: [1, 2, 3]).encoded
        }
        #expect(try answers(to: unknown + request(1), 1, bench) == ["1 ok"])
    }

    @Test func aPayloadThatIsNoRequestIsRefusedAndNothingElse() throws {
        let bench = try Bench()
        bench.serveEcho()
        let bad = hex("00 00 00 02 00 00 00 01 01 00  0a 05  # a service of 5 bytes, none there")
        #expect(try answers(to: bad + request(3), 2, bench) == ["1 invalidArgument", "3 ok"])
    }

    @Test func dataIsRefusedForMethodsOfOneMessage() throws {
        let bench = try Bench()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in waiting.append(reply) }
        bench.server.register(service: "Test", method: "Release") { _, reply in
            for reply in waiting { reply.succeed([]) }
            reply.succeed([])
        }
        let bytes =
            request(1, "Test", "Wait") + request(3, "Test", "Wait")
            + hex("00 00 00 00 00 00 00 01 03 05  # stream 1 has sent everything: as it must")
            + hex("00 00 00 01 00 00 00 03 03 00 07  # stream 3 sends more")
            + hex("00 00 00 01 00 00 00 63 03 00 07  # stream 99 was never opened")
            + request(5, "Test", "Release")
        #expect(
            try answers(to: bytes, 4, bench) == ["3 invalidArgument", "99 invalidArgument", "1 ok", "5 ok"])
    }

    @Test func moreThanFourMebibytesIsPassedOverAndRefused() throws {
        let bench = try Bench()
        bench.serveEcho()
        let longer = Frame(stream: 1, kind: .request, payload: [UInt8](repeating: 0, count: (4 << 20) + 1)).encoded
        #expect(try answers(to: longer + request(3), 2, bench) == ["1 resourceExhausted", "3 ok"])
        #expect(bench.server.heldMemory == 0)
    }

    @Test func anotherProtocolIsClosed() throws {
        let bench = try Bench()
        let peer = try RawPeer(bench)
        bench.server.whenUnused = { bench.stop() }
        try peer.send(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        try bench.run()
        #expect(bench.server.connectionCount == 0)
        #expect(bench.log == ["a connection ended: this is not ttrpc: a frame of 1195725856 bytes"])
    }

    /// Frames whose headers and payloads are changed at random, the same way each time.
    @Test func changedBytesHarmNobodyElse() throws {
        let bench = try Bench()
        bench.serveEcho()
        let good = try bench.client()
        var random = Xorshift()
        func round(_ left: Int) throws {
            let peer = try RawPeer(bench)
            var bytes = (0..<8).flatMap { request(UInt32($0 * 2 + 1), "Test", "Echo", [1, 2, 3]) }
            for _ in 0..<4 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try peer.send(bytes, then: peer.closeSendingHalf)
            good.call("Test", "Echo", payload: [UInt8(truncatingIfNeeded: left)]) { result in
                #expect(result == .success([UInt8(truncatingIfNeeded: left)]))
                withExtendedLifetime(peer) {}
                if left == 0 { return bench.stop() }
                do { try round(left - 1) } catch { Issue.record("\(error)") }
            }
        }
        try round(2000)
        try bench.run()
    }

    @Test func halfAFrameAndTheEndIsClosed() throws {
        for length in [1, 9, 10, 15] {
            let bench = try Bench()
            bench.serveEcho()
            let peer = try RawPeer(bench)
            bench.server.whenUnused = { bench.stop() }
            try peer.send(Array(request(1).prefix(length)), then: peer.closeSendingHalf)
            try bench.run()
            #expect(bench.log == ["a connection ended: the peer closed in the middle of a frame"])
        }
    }

    @Test func aPeerThatClosedItsSendingHalfIsClosed() throws {
        let bench = try Bench()
        let peer = try RawPeer(bench)
        try peer.send([], then: peer.closeSendingHalf)
        try peer.receiveEnd { bench.stop() }
        try bench.run()
        #expect(bench.server.connectionCount == 0)
        #expect(bench.log.isEmpty)
    }

    /// One peer asks for much and reads nothing, one says nothing at all, and a third is served as ever.
    @Test func slowAndSilentPeersCostLittleAndStopNobody() throws {
        let bench = try Bench()
        bench.serveEcho()
        var asked = 0
        bench.server.register(service: "Test", method: "Much") { _, reply in
            asked += 1
            reply.succeed([UInt8](repeating: 0, count: 64 << 10))
        }
        let silent = try RawPeer(bench)
        let slow = try RawPeer(bench)
        let good = try bench.client()
        var stream: UInt32 = 1
        func fillUp() throws {
            try slow.sendUntilFull {
                stream += 2
                return request(stream, "Test", "Much")
            }
        }
        // Each round fills the socket and lets the server take what it will.
        func round(_ left: Int) throws {
            try fillUp()
            good.call("Test", "Echo", payload: [1]) { result in
                #expect(result == .success([1]))
                if left == 0 { return bench.stop() }
                do { try round(left - 1) } catch { Issue.record("\(error)") }
            }
        }
        try round(100)
        try bench.run()
        #expect(asked >= 16)
        #expect(bench.server.connectionCount == 3)
        #expect(bench.server.heldMemory < Connection.writeBacklog + (65 << 10))
        #expect(bench.log.isEmpty)
        withExtendedLifetime(silent) {}
    }

    /// Answers that were promised before the peer stopped reading.
    @Test func aPeerThatNeverReadsIsGivenUp() throws {
        let bench = try Bench()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in
            waiting.append(reply)
            if waiting.count < 100 { return }
            for reply in waiting { reply.succeed([UInt8](repeating: 0, count: 1 << 20)) }
        }
        bench.server.whenUnused = { bench.stop() }
        let peer = try RawPeer(bench)
        try peer.send((0..<100).flatMap { request(UInt32($0 * 2 + 1), "Test", "Wait") })
        try bench.run()
        #expect(bench.log == ["a connection ended: the peer does not read its answers"])
        withExtendedLifetime(peer) {}
    }

    @Test func aPeerThatClosesWithAnswersUnreadIsClosed() throws {
        let bench = try Bench()
        var asked = 0
        var peer: RawPeer? = try RawPeer(bench)
        bench.server.register(service: "Test", method: "Much") { _, reply in
            asked += 1
            reply.succeed([UInt8](repeating: 0, count: 3 << 20))
            // After the first attempt to write, when nothing is read from it any more.
            if asked == 1 { bench.loop.after(.milliseconds(1)) { peer = nil } }
        }
        bench.server.whenUnused = { bench.stop() }
        try peer?.send(request(1, "Test", "Much") + request(3, "Test", "Much"))
        try bench.run()
        #expect(asked == 1)
        #expect(bench.server.connectionCount == 0)
    }

    @Test func connectionsAreBounded() throws {
        let most = 64
        let bench = try Bench(mostConnections: most)
        bench.serveEcho()
        let many = try (0..<most).map { _ in try bench.client() }
        var served = 0
        var last: Client?
        for client in many {
            client.call("Test", "Echo", payload: []) { _ in
                served += 1
                if served < most { return }
                last = try? bench.client()
                // Whatever comes of it, the answer is later than that of the accepting.
                last?.call("Test", "Echo", payload: []) { result in
                    if case .success = result { Issue.record("one too many was served") }
                    bench.stop()
                }
            }
        }
        try bench.run()
        #expect(bench.server.connectionCount == most)
        #expect(bench.log == ["refused a connection: there are 64"])
        withExtendedLifetime(many) {}
    }

    /// Who connects and says nothing, or not all of it, gives way to who calls.
    @Test func silentPeersTakeNobodysPlace() throws {
        let most = 16
        let bench = try Bench(mostConnections: most)
        bench.serveEcho()
        let old = try bench.client()
        var silent: [RawPeer] = []
        var new: Client?
        func crowd() throws {
            silent = try (0..<3 * most).map { _ in try RawPeer(bench) }
            for peer in silent { try peer.send(Array(request(1).prefix(11))) }
            new = try bench.client()
            new?.call("Test", "Echo", payload: [1]) { result in
                #expect(result == .success([1]))
                old.call("Test", "Echo", payload: [2]) { result in
                    #expect(result == .success([2]))
                    bench.stop()
                }
            }
        }
        old.call("Test", "Echo", payload: []) { _ in
            do { try crowd() } catch { Issue.record("\(error)") }
        }
        try bench.run()
        #expect(bench.server.connectionCount == most)
        #expect(bench.log.count == 2 * most + 2)
        withExtendedLifetime(silent) {}
    }

    /// Each holds less than a message may have; together they are too many.
    @Test func unfinishedMessagesOfManyPeersAreBounded() throws {
        let bench = try Bench()
        bench.serveEcho()
        let good = try bench.client()
        let large = Frame(stream: 1, kind: .request, payload: [UInt8](repeating: 0, count: Frame.longest)).encoded
        let peers = try (0..<40).map { _ in try RawPeer(bench) }
        var sent = 0
        for peer in peers {
            try peer.send(Array(large.dropLast()), mayBreak: true) {
                sent += 1
                if sent < peers.count { return }
                good.call("Test", "Echo", payload: [1]) { result in
                    #expect(result == .success([1]))
                    bench.stop()
                }
            }
        }
        try bench.run()
        #expect(bench.server.heldMemory <= Server.mostHeldMemory)
        #expect(bench.log.count > 20)
        #expect(bench.log.allSatisfy { $0.contains("bytes of unfinished messages") })
        withExtendedLifetime(peers) {}
    }

    /// One that has too many calls under way is refused more; another is served.
    @Test func callsOfAllPeersAreBounded() throws {
        let bench = try Bench()
        bench.serveEcho()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in waiting.append(reply) }
        let good = try bench.client()
        let greedy = try (0..<3).map { _ in try RawPeer(bench) }
        // The first two are within the bounds, each by itself and nearly together; the third is not.
        let each = 10_000
        let wanted = greedy.count * each - Server.mostCallsUnderWay - ServerConnection.callsForEachPeer
        func greed(_ index: Int) throws {
            let requests = (0..<each).flatMap { request(UInt32($0) * 2 + 1, "Test", "Wait") }
            try greedy[index].send(requests) {
                do {
                    if index + 1 < greedy.count { return try greed(index + 1) }
                    try greedy[index].receive(min(wanted, each - ServerConnection.callsForEachPeer)) {
                        good.call("Test", "Echo", payload: [1]) { result in
                            #expect(result == .success([1]))
                            bench.stop()
                        }
                    }
                } catch { Issue.record("\(error)") }
            }
        }
        try greed(0)
        try bench.run()
        #expect(waiting.count <= Server.mostCallsUnderWay + greedy.count * ServerConnection.callsForEachPeer)
        #expect(waiting.count >= Server.mostCallsUnderWay)
        #expect(greedy[2].answers.allSatisfy { $0.code == .resourceExhausted })
        #expect(bench.log.isEmpty)
    }

    @Test func afterStoppingOldConnectionsAreServedAndNewOnesAreNot() throws {
        let bench = try Bench()
        bench.serveEcho()
        let client = try bench.client()
        var unused = 0
        bench.server.whenUnused = {
            unused += 1
            bench.stop()
        }
        client.call("Test", "Echo", payload: [1]) { _ in
            bench.server.stopListening()
            #expect(throws: SystemError.self) { try bench.client() }
            client.call("Test", "Echo", payload: [2]) { result in
                #expect(result == .success([2]))
                #expect(bench.server.connectionCount == 1)
                client.close()
            }
        }
        try bench.run()
        #expect(unused == 1)
        #expect(bench.server.connectionCount == 0)
    }

    /// Needs a second user: root can be one.
    @Test(.enabled(if: geteuid() == 0)) func otherUsersAreRefused() throws {
        let bench = try Bench()
        chmod(bench.path, 0o666)
        // Connects as nobody and stays until the end comes.
        let script = """
            use Socket; $> = 65534; socket(S, PF_UNIX, SOCK_STREAM, 0) or die; \
            connect(S, pack_sockaddr_un($ARGV[0])) or die "connect: $!"; sysread(S, $b, 1)
            """
        bench.whenLogging = { bench.stop() }
        let pid = try Command("/usr/bin/perl", ["-e", script, bench.path]).spawn()
        try bench.run()
        waitpid(pid, nil, 0)
        #expect(bench.log == ["refused a connection of user 65534"])
        #expect(bench.server.connectionCount == 0)
    }
}

/// Marsaglia's xorshift64, so that a failure can be repeated.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
