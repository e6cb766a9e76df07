import Glibc
import Linux
import Protobuf
import Testing

@testable import TTRPC

/// Our client and our server, with each other.
@Suite struct CallTests {
    @Test func aCallCarriesItsParts() throws {
        let bench = try Bench()
        let client = try bench.client()
        var received: Call?
        bench.server.register(service: "Test", method: "Time") { call, reply in
            received = call
            reply.succeed(Timestamp(seconds: 7, nanoseconds: 8))
        }
        var result: Result<Timestamp, Status>?
        client.call(
            "Test", "Time", Timestamp(seconds: 1, nanoseconds: 0), metadata: ["key": "a", "other": "b", "key": "c"],
            timeout: .seconds(5)
        ) { (answer: Result<Timestamp, Status>) in
            result = answer
            bench.stop()
        }
        #expect(result == nil)
        try bench.run()
        #expect(result == .success(Timestamp(seconds: 7, nanoseconds: 8)))
        #expect(received?.service == "Test")
        #expect(received?.method == "Time")
        #expect(received?.payload == Timestamp(seconds: 1, nanoseconds: 0).encoded())
        #expect(received?.timeout == .seconds(5))
        #expect(received?.metadata("key") == "a")
        #expect(received?.metadata.map(\.value) == ["a", "b", "c"])
        #expect(received?.metadata("missing") == nil)
    }

    /// Calls one method and gives its result.
    func call(_ bench: Bench, _ service: String, _ method: String) throws -> Result<[UInt8], Status>? {
        let client = try bench.client()
        var result: Result<[UInt8], Status>?
        client.call(service, method, payload: []) {
            result = $0
            bench.stop()
        }
        try bench.run()
        return result
    }

    @Test func whatIsNotKnownIsUnimplemented() throws {
        for (service, method, message) in [
            ("Test", "Other", "method Other of service Test is not known"),
            ("Other", "Echo", "service Other is not known"),
        ] {
            let bench = try Bench()
            bench.serveEcho()
            #expect(try call(bench, service, method) == .failure(Status(.unimplemented, message)))
        }
    }

    @Test func aHandlerCanFail() throws {
        let bench = try Bench()
        bench.server.register(service: "Test", method: "Fail") { _, reply in reply.fail(.notFound, "no such thing") }
        #expect(try call(bench, "Test", "Fail") == .failure(Status(.notFound, "no such thing")))
    }

    @Test func aReplyThatIsDroppedIsInternal() throws {
        let bench = try Bench()
        bench.server.register(service: "Test", method: "Drop") { _, _ in }
        let result = try call(bench, "Test", "Drop")
        #expect(result == .failure(Status(.internal, "the call was given up without an answer")))
    }

    @Test func theFirstAnswerCounts() throws {
        let bench = try Bench()
        bench.server.register(service: "Test", method: "Twice") { _, reply in
            reply.succeed([1])
            reply.succeed([2])
            reply.fail(.unknown, "")
        }
        let client = try bench.client()
        var results: [Result<[UInt8], Status>] = []
        for _ in 0..<2 {
            client.call("Test", "Twice", payload: []) {
                results.append($0)
                if results.count == 2 { bench.stop() }
            }
        }
        try bench.run()
        #expect(results == [.success([1]), .success([1])])
    }

    @Test func answersMayComeLaterAndInAnyOrder() throws {
        let bench = try Bench()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in waiting.append(reply) }
        bench.server.register(service: "Test", method: "Release") { _, reply in
            while let last = waiting.popLast() { last.succeed([UInt8(waiting.count)]) }
            reply.succeed([99])
        }
        let client = try bench.client()
        var answers: [UInt8] = []
        func note(_ result: Result<[UInt8], Status>) {
            if case .success(let bytes) = result { answers += bytes }
            if answers.count == 4 { bench.stop() }
        }
        for _ in 0..<3 { client.call("Test", "Wait", payload: [], completion: note) }
        client.call("Test", "Release", payload: [], completion: note)
        try bench.run()
        #expect(answers == [2, 1, 0, 99])
    }

    @Test func tenThousandCallsAtOnce() throws {
        let bench = try Bench()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { call, reply in
            waiting.append(reply)
            guard waiting.count == 10_000 else { return }
            for (index, reply) in waiting.enumerated().reversed() { reply.succeed([UInt8(truncatingIfNeeded: index)]) }
            waiting = []
        }
        let client = try bench.client()
        var right = 0
        for index in 0..<10_000 {
            client.call("Test", "Wait", payload: []) { result in
                if result == .success([UInt8(truncatingIfNeeded: index)]) { right += 1 }
                // Answered last: the first.
                if index == 0 { bench.stop() }
            }
        }
        try bench.run()
        #expect(right == 10_000)
        #expect(bench.server.heldMemory == 0)
    }

    @Test func callsUnderWayAreBounded() throws {
        let bench = try Bench()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in waiting.append(reply) }
        let client = try bench.client()
        var refused: Status?
        for _ in 0...ServerConnection.mostCallsUnderWay {
            client.call("Test", "Wait", payload: []) { result in
                if case .failure(let status) = result, refused == nil { refused = status }
                bench.stop()
            }
        }
        try bench.run()
        #expect(refused?.code == .resourceExhausted)
        #expect(waiting.count == ServerConnection.mostCallsUnderWay)
    }

    @Test func longMessagesGoBothWaysAndLeaveNoMemoryBehind() throws {
        let bench = try Bench()
        bench.serveEcho()
        let client = try bench.client()
        // As long as a payload can be, with its envelope.
        let payload = (0..<(4 << 20) - 64).map { UInt8(truncatingIfNeeded: $0) }
        var result: Result<[UInt8], Status>?
        client.call("Test", "Echo", payload: payload) {
            result = $0
            bench.stop()
        }
        try bench.run()
        #expect(result == .success(payload))
        #expect(bench.server.heldMemory == 0)
    }

    @Test func tooLongARequestFailsHere() throws {
        let bench = try Bench()
        bench.serveEcho()
        let client = try bench.client()
        var codes: [Status.Code] = []
        client.call("Test", "Echo", payload: [UInt8](repeating: 0, count: 4 << 20)) { result in
            if case .failure(let status) = result { codes.append(status.code) }
            bench.stop()
        }
        try bench.run()
        #expect(codes == [.resourceExhausted])
        #expect(client.isOpen)
    }

    @Test func tooLongAnAnswerFailsThere() throws {
        let bench = try Bench()
        bench.server.register(service: "Test", method: "Long") { _, reply in
            reply.succeed([UInt8](repeating: 0, count: 4 << 20))
        }
        let result = try call(bench, "Test", "Long")
        guard case .failure(let status) = result else { return #expect(Bool(false), "\(String(describing: result))") }
        #expect(status.code == .resourceExhausted)
    }

    @Test func aCallWithoutAnswerTimesOutAndALateAnswerIsDropped() throws {
        let bench = try Bench()
        bench.serveEcho()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in waiting.append(reply) }
        let client = try bench.client()
        var results: [Result<[UInt8], Status>] = []
        func answerLate() {
            // The call may have come to nobody yet.
            if waiting.isEmpty {
                _ = bench.loop.after(.milliseconds(1), answerLate)
                return
            }
            // Nothing waits for this one any more.
            for reply in waiting { reply.succeed([1]) }
            client.call("Test", "Echo", payload: [2]) {
                results.append($0)
                bench.stop()
            }
        }
        client.call("Test", "Wait", payload: [], timeout: .milliseconds(1)) {
            results.append($0)
            answerLate()
        }
        try bench.run()
        #expect(results == [.failure(Status(.deadlineExceeded, "Test/Wait: no answer in time")), .success([2])])
    }

    @Test func callsUnderWayFailWhenTheServerGoes() throws {
        let bench = try Bench()
        var waiting: [Reply] = []
        bench.server.register(service: "Test", method: "Wait") { _, reply in
            waiting.append(reply)
            bench.server.closeConnections()
        }
        var results: [Result<[UInt8], Status>] = []
        let client = try Client(loop: bench.loop, address: "unix://" + bench.path) { bench.stop() }
        client.call("Test", "Wait", payload: []) { results.append($0) }
        try bench.run()
        let gone = Result<[UInt8], Status>.failure(Status(.unavailable, "the peer closed the connection"))
        #expect(results == [gone])
        #expect(!client.isOpen)
        // An answer to nobody does nothing.
        for reply in waiting { reply.succeed([]) }
    }

    @Test func nothingIsLeftToWakeUpFor() throws {
        let bench = try Bench()
        bench.serveEcho()
        let client = try bench.client()
        client.call("Test", "Echo", payload: [], timeout: .seconds(5)) { _ in bench.stop() }
        try bench.loop.run()
        #expect(bench.loop.nextTimer == nil)
    }
}
