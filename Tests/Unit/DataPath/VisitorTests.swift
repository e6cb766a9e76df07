import DataPath
import Testing

/// What is said to those who may be probes.
@Suite struct VisitorTests {
    static let ready = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
    static let frames =
        ProbeBytes.frame(1, 4, [0x88]) + ProbeBytes.frame(0, 0, [0, 0, 0, 0, 2, 8, 1])
        + ProbeBytes.frame(1, 5, [0x89])

    static func visitor(
        _ known: [[UInt8]: [UInt8]] = [:], asker: UInt128 = ProbeBytes.asker, isPassive: Bool = false, limit: Int = 1024
    ) throws -> Visitor {
        var answers = Answers()
        for (request, answer) in known {
            answers[try #require(Question(ProbeBytes.captured(request)))] = answer
        }
        return Visitor(asker: asker, port: 80, isPassive: isPassive, limit: limit, answers: answers)
    }

    @Test func aKnownProbeIsAnsweredWithTheLastAnswer() throws {
        var visitor = try Self.visitor([ProbeBytes.http(): Self.ready])
        #expect(visitor.look(at: ProbeBytes.http()) == .answer(Self.ready))
        // After an upgrade of the kubelet.
        #expect(visitor.look(at: ProbeBytes.http(agent: "kube-probe/1.37+")) == .answer(Self.ready))
    }

    @Test(arguments: [
        ProbeBytes.http("/ready"), ProbeBytes.http(more: "X-Check: 1\r\n"), ProbeBytes.http(agent: "curl/8"),
        Array("POST / HTTP/1.1\r\n\r\n".utf8), ProbeBytes.http() + ProbeBytes.http(), ProbeBytes.http() + [0],
        [0x16, 3, 1, 2, 0, 1], Array("*1\r\n$4\r\nPING\r\n".utf8), ProbeBytes.check(),
    ]) func allElseIsPassedOn(_ bytes: [UInt8]) throws {
        var visitor = try Self.visitor([ProbeBytes.http(): Self.ready])
        guard case .pass = visitor.look(at: bytes) else {
            Issue.record("\(visitor.look(at: bytes))")
            return
        }
    }

    @Test func whyTLSWakesIsTold() throws {
        var visitor = try Self.visitor([ProbeBytes.http(): Self.ready])
        guard case .pass(let reason) = visitor.look(at: [0x16, 3, 1, 2, 0, 1]) else {
            Issue.record("\(visitor.look(at: [0x16, 3, 1, 2, 0, 1]))")
            return
        }
        #expect(reason.hasPrefix("it is TLS"))
    }

    @Test(arguments: [ProbeBytes.http(), ProbeBytes.check("db")]) func anotherAskerIsPassedOn(_ bytes: [UInt8]) throws {
        var visitor = try Self.visitor([bytes: Self.ready], asker: 1)
        guard case .pass = visitor.look(at: bytes) else {
            Issue.record("\(visitor.look(at: bytes))")
            return
        }
    }

    @Test func bytesMayComeOneByOne() throws {
        let request = ProbeBytes.http()
        var visitor = try Self.visitor([request: Self.ready])
        for count in 0..<request.count { #expect(visitor.look(at: Array(request[..<count])) == .wait) }
        #expect(visitor.look(at: request) == .answer(Self.ready))
    }

    @Test func tooLongIsPassedOn() throws {
        let request = ProbeBytes.http("/" + String(repeating: "x", count: 2000))
        var visitor = try Self.visitor([request: Self.ready])
        #expect(visitor.look(at: Array(request[..<1023])) == .wait)
        guard case .pass = visitor.look(at: Array(request[..<1024])) else {
            Issue.record("looked further than allowed")
            return
        }
        var patient = try Self.visitor([request: Self.ready], limit: 4096)
        #expect(patient.look(at: request) == .answer(Self.ready))
    }

    @Test func silenceMeansWaitingForTheServerToSpeak() throws {
        var visitor = try Self.visitor()
        #expect(visitor.look(at: []) == .wait)
        #expect(visitor.timedOut(after: []) == .pass(reason: "it said nothing and stays"))
    }

    @Test func aHealthCheckIsAConversation() throws {
        let check = ProbeBytes.check("db")
        var visitor = try Self.visitor([check: Self.frames])
        let hello = ProbeBytes.preface + ProbeBytes.settings
        #expect(visitor.look(at: ProbeBytes.preface) == .greet(ProbeBytes.settings))
        #expect(visitor.look(at: hello) == .wait)
        let other = ProbeBytes.check("db", timeout: "1S")
        for count in hello.count..<other.count { #expect(visitor.look(at: Array(other[..<count])) == .wait) }
        #expect(visitor.look(at: other) == .answer(ProbeBytes.acknowledgement + Self.frames))
    }

    /// The C library of gRPC, on which those of many languages are built, spells names out and adds more frames.
    @Test func aHealthCheckMaySpellNamesOut() throws {
        func field(_ name: String, _ value: String) -> [UInt8] {
            [[0x40, UInt8(name.utf8.count)], Array(name.utf8), [UInt8(value.utf8.count)], Array(value.utf8)].flatMap {
                $0
            }
        }
        func check(agent: String, path: String = "/grpc.health.v1.Health/Check") -> [UInt8] {
            let fields: [[UInt8]] = [
                field(":path", path), field(":authority", "10.88.0.2:50051"), [0x83, 0x86],
                field("content-type", "application/grpc"), field("te", "trailers"),
                field("grpc-timeout", "987m"), field("user-agent", agent),
            ]
            let block = Array(fields.joined())
            let windowUpdate: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 5]
            let frames = [ProbeBytes.frame(1, 4, block), windowUpdate, ProbeBytes.data("db"), windowUpdate]
            return ProbeBytes.preface + ProbeBytes.settings + frames.joined()
        }
        let kubelet = "kube-probe/1.36 grpc-python/1.51.1 grpc-c/29.0.0 (linux; chttp2)"
        var visitor = try Self.visitor([ProbeBytes.check("db"): Self.frames])
        #expect(
            visitor.look(at: check(agent: kubelet))
                == .answer(ProbeBytes.settings + ProbeBytes.acknowledgement + Self.frames))
        for other in [check(agent: "grpc-python/1.51.1"), check(agent: kubelet, path: "/other.Service/Check")] {
            var visitor = try Self.visitor([ProbeBytes.check("db"): Self.frames])
            #expect(visitor.look(at: other) == .pass(reason: "it is no probe"))
        }
    }

    @Test func whoWasGreetedInVainIsAskedToComeAgain() throws {
        var visitor = try Self.visitor([ProbeBytes.check("db"): Self.frames])
        #expect(visitor.look(at: ProbeBytes.preface) == .greet(ProbeBytes.settings))
        guard case .sendAway(let bytes, _) = visitor.look(at: ProbeBytes.check("cache")) else {
            Issue.record("an answer was given to another question")
            return
        }
        #expect(bytes == [0, 0, 8, 7, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8))
    }

    @Test func passivePortsAreAnsweredWhateverComes() throws {
        var visitor = try Self.visitor([ProbeBytes.http(): Self.ready], isPassive: true)
        for other in [
            ProbeBytes.http(), ProbeBytes.http("/metrics", agent: "Prometheus/3.0"),
            Array("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n".utf8),
        ] {
            guard case .answer(let bytes) = visitor.look(at: other) else {
                Issue.record("no answer")
                continue
            }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 503 ") && text.contains("\r\nRetry-After: 60\r\n"))
            #expect(text.hasSuffix("Content-Length: 7\r\nConnection: close\r\n\r\nasleep\n"))
        }
        #expect(visitor.look(at: [0x16, 3, 1]) == .answer([]))
        #expect(visitor.look(at: Array("PO".utf8)) == .wait)
        #expect(visitor.timedOut(after: []) == .answer([]))
    }

    /// What is answered asleep: a whole answer that says that all is well.
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, true),
        ("HTTP/1.1 399 OK\r\ncontent-length: 0\r\n\r\n", false, true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", true, false), ("HTTP/1.0 200 OK\r\n\r\nok", true, true),
        ("HTTP/1.0 200 OK\r\n\r\nok", false, false), ("HTTP/1.1 200 OK\r\n", true, false),
        ("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", false, false),
        ("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", true, false), ("HTTP/1.1 ", true, false), ("", true, false),
    ]) func onlyWholeAnswersThatAllIsWellAreGivenAgain(_ text: String, _ isOver: Bool, _ isGiven: Bool) throws {
        let request = ProbeBytes.captured(ProbeBytes.http(), answer: Array(text.utf8), isOver: isOver)
        #expect(try #require(Question(request)).verdict(on: request).answer == (isGiven ? Array(text.utf8) : nil))
    }

    @Test func onlyHealthChecksThatServeAreGivenAgain() throws {
        func learnt(_ answer: [UInt8]) throws -> [UInt8]? {
            let request = ProbeBytes.captured(ProbeBytes.check("db"), answer: answer)
            return try #require(Question(request)).verdict(on: request).answer
        }
        #expect(try learnt(ProbeBytes.settings + ProbeBytes.acknowledgement + Self.frames) == Self.frames)
        for count in 0..<Self.frames.count { #expect(try learnt(Array(Self.frames[..<count])) == nil) }
        let unwell =
            ProbeBytes.frame(1, 4, [0x88]) + ProbeBytes.frame(0, 0, [0, 0, 0, 0, 2, 8, 2])
            + ProbeBytes.frame(1, 5, [0x89])
        #expect(try learnt(unwell) == nil)
    }

    /// A failure keeps awake, and people are told which; what is not understood only wakes.
    @Test func failuresAreToldFromWhatIsUnknown() throws {
        func verdict(_ request: [UInt8], _ answer: String, isOver: Bool = true) throws -> Verdict {
            let request = ProbeBytes.captured(request, answer: Array(answer.utf8), isOver: isOver)
            return try #require(Question(request)).verdict(on: request)
        }
        let http = ProbeBytes.http("/readyz?\u{e9}")
        #expect(try verdict(http, "") == .failed("GET /readyz??? on port 80 got no answer"))
        #expect(try verdict(http, "HTTP/1.1 503 No\r\n\r\n") == .failed("GET /readyz??? on port 80 was answered 503"))
        #expect(try verdict(http, "HTTP/1.1 404 ", isOver: false).failure?.hasSuffix("404") == true)
        for begun in ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "SSH-2.0", "HTTP/1.1 x99 "] {
            #expect(try verdict(http, begun, isOver: false) == .unknown, "\(begun)")
        }
        let check = ProbeBytes.check("db")
        let refusal = String(decoding: ProbeBytes.frame(3, 0, [0, 0, 0, 7]), as: UTF8.self)
        #expect(try verdict(check, refusal) == .failed("the health check of db on port 80 was not answered SERVING"))
        let greeting = String(decoding: ProbeBytes.settings, as: UTF8.self)
        #expect(try verdict(check, greeting) == .unknown)
    }

    /// The parsers come to an end with anything, and never take a part for the whole.
    @Test func noisyBytesAreSurvived() throws {
        var random = SystemRandomNumberGenerator()
        let check = ProbeBytes.check("db")
        let visitor = try Self.visitor([check: Self.frames, ProbeBytes.http(): Self.ready])
        for _ in 0..<2000 {
            var bytes = Bool.random(using: &random) ? check : ProbeBytes.http()
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var fresh = visitor
            _ = fresh.look(at: Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
            _ = HealthCheck.read(bytes, needsPreface: false)
        }
    }
}
