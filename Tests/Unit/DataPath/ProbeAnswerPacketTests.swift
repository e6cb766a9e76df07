import DataPath
import Glibc
import Linux
import Testing

/// What the tc programs keep of the answers to probes, by BPF_PROG_TEST_RUN.
@Suite struct ProbeAnswerPacketTests {
    typealias Flow = ProbePacketTests.Flow
    typealias Programs = ProbePacketTests.Programs
    static let (ack, fin, syn) = (ProbePacketTests.ack, ProbePacketTests.fin, ProbePacketTests.syn)
    static let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".utf8) + (0..<100).map { UInt8($0) }

    /// In one segment or many, of any length, some of them sent twice.
    @Test(arguments: [1, 2, 63, 64, 65, 139, 1000], [false, true]) func anAnswerIsKeptWhole(
        _ step: Int, _ isIPv6: Bool
    ) throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs, isIPv6: isIPv6)
            #expect(try !flow.opens(with: ProbeBytes.http()))
            for start in stride(from: 0, to: Self.answer.count, by: step) {
                let piece = Array(Self.answer[start..<min(start + step, Self.answer.count)])
                for _ in 1...2 { #expect(try !flow.pod(Self.ack, piece, sent: UInt32(start))) }
            }
            let open = try #require(programs.redirector.capturedRequests.first)
            #expect(open.answer == Self.answer && !open.isCut && !open.isOver)
            #expect(try !flow.pod(Self.fin, sent: UInt32(Self.answer.count)))
            let over = try #require(programs.redirector.capturedRequests.first)
            #expect(over.answer == Self.answer && !over.isCut && over.isOver)
        }
    }

    @Test(arguments: [2047, 2048, 2049, 2111, 2112, 2113, 9000]) func ofALongAnswerTheBeginningIsKept(
        _ length: Int
    ) throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try !flow.opens(with: ProbeBytes.http()))
            let bytes = (0..<length).map { UInt8($0 % 251) }
            for start in stride(from: 0, to: length, by: 1460) {
                let piece = Array(bytes[start..<min(start + 1460, length)])
                #expect(try !flow.pod(Self.ack, piece, sent: UInt32(start)))
            }
            let kept = try #require(programs.redirector.capturedRequests.first)
            #expect(kept.answer == Array(bytes.prefix(2048)) && kept.isCut == (length > 2048))
        }
    }

    /// A part that was lost on its way here is not skipped.
    @Test func anAnswerWithAHoleIsNotComplete() throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try !flow.opens(with: ProbeBytes.http()))
            #expect(try !flow.pod(Self.ack, [1, 2], sent: 0))
            #expect(try !flow.pod(Self.fin, [5, 6], sent: 4))
            let kept = try #require(programs.redirector.capturedRequests.first)
            #expect(kept.answer == [1, 2] && !kept.isOver)
        }
    }

    /// Each asker has its own; the last one of each counts.
    @Test func askersAreToldApart() throws {
        try inScratch {
            let other = try #require(SocketAddress("11.0.0.1", port: 0)).address
            let programs = try Programs(probers: [ProbePacketTests.node4, other])
            for (number, (network, answer)) in [(10, "one"), (11, "two"), (10, "three")].enumerated() {
                let flow = Flow(programs: programs, port: UInt16(5000 + number), network: UInt8(network))
                #expect(try !flow.opens(with: ProbeBytes.http()))
                #expect(try !flow.pod(Self.ack, Array(answer.utf8)))
            }
            let kept = programs.redirector.capturedRequests
            let answers = kept.map { ($0.asker, String(decoding: $0.answer, as: UTF8.self)) }
            #expect(Dictionary(uniqueKeysWithValues: answers) == [ProbePacketTests.node4: "three", other: "two"])
        }
    }

    /// What an application says before it is asked (HTTP/2's settings) is no answer.
    @Test func theAnswerBeginsBehindWhatWasSaidBefore() throws {
        try inScratch {
            let programs = try Programs()
            let flow = Flow(programs: programs)
            #expect(try !flow.client(Self.syn))
            #expect(try !flow.pod(Self.syn | Self.ack))
            #expect(try !flow.pod(Self.ack, [9, 9, 9]))
            #expect(try !flow.client(Self.ack, ProbeBytes.http(), seen: 3))
            #expect(try !flow.pod(Self.ack, [1], sent: 3))
            #expect(programs.redirector.capturedRequests.map(\.answer) == [[1]])
        }
    }

    /// A segment that somebody made up: no handshake, or one of which the pod's part was never seen.
    @Test func strayAndForgedSegmentsAreTrafficAndNotRemembered() throws {
        try inScratch {
            let programs = try Programs()
            let stray = Flow(programs: programs, port: 5001)
            #expect(try stray.client(Self.ack, ProbeBytes.http()))
            let unanswered = Flow(programs: programs, port: 5002)
            #expect(try !unanswered.client(Self.syn))
            #expect(try unanswered.client(Self.ack, ProbeBytes.http()))
            for seen: UInt32? in [nil, 1, ~0] {
                let forged = Flow(programs: programs, port: 5003)
                #expect(try !forged.client(Self.syn))
                #expect(try !forged.pod(Self.syn | Self.ack))
                #expect(try forged.client(Self.ack, ProbeBytes.http(), seen: seen))
            }
            #expect(programs.redirector.capturedRequests.isEmpty)
        }
    }
}
