import Hex
import Testing

@testable import TTRPC

@Suite struct FrameDecoderTests {
    static let request = hex(
        """
        00 00 00 15              # length of the payload: 21
        00 00 00 01              # stream 1
        01                       # type: request
        00                       # flags
           0a 04 54 61 73 6b     # 1 service: "Task"
           12 04 57 61 69 74     # 2 method: "Wait"
           1a 03 0a 01 61        # 3 payload: 1 id "a"
           20 80 b5 18           # 4 timeout_nano: 400000
        """)

    static let frame = Frame(stream: 1, kind: .request, payload: Array(request[10...]))

    @Test func aFrameIsCutOut() throws {
        var decoder = FrameDecoder()
        #expect(decoder.decode(Self.request) == [.frame(Self.frame)])
        let envelope = try RequestEnvelope(decoding: Self.frame.payload)
        #expect(envelope.service == "Task")
        #expect(envelope.method == "Wait")
        #expect(envelope.payload == [0x0a, 1, 0x61])
        #expect(envelope.timeoutNanoseconds == 400_000)
    }

    @Test func aFrameIsWrittenAsItIsRead() {
        #expect(Self.frame.encoded == Self.request)
    }

    @Test func itDoesNotMatterHowTheBytesAreDivided() {
        let bytes =
            Self.request + hex("00 00 00 00 00 00 00 03 07 05  # empty, stream 3, type 7, flags 5") + Self.request
        let expected: [FrameDecoder.Event] = [
            .frame(Self.frame),
            .frame(Frame(stream: 3, kind: Frame.Kind(rawValue: 7), flags: [.remoteClosed, .noData])),
            .frame(Self.frame),
        ]
        for size in 1...bytes.count {
            var decoder = FrameDecoder()
            var events: [FrameDecoder.Event] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += decoder.decode(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(events == expected, "pieces of \(size)")
            #expect(decoder.isAtBoundary)
        }
    }

    @Test func aStreamMayEndBetweenFramesOnly() {
        for length in 1..<Self.request.count {
            var decoder = FrameDecoder()
            #expect(decoder.decode(Array(Self.request.prefix(length))).isEmpty)
            #expect(!decoder.isAtBoundary)
        }
    }

    @Test func theLongestFramePassesAndALongerOneIsPassedOver() {
        var decoder = FrameDecoder()
        let longest = Frame(stream: 5, kind: .request, payload: [UInt8](repeating: 1, count: 4 << 20))
        #expect(decoder.decode(longest.encoded) == [.frame(longest)])
        let longer = Frame(stream: 7, kind: .request, payload: [UInt8](repeating: 1, count: (4 << 20) + 1))
        #expect(
            decoder.decode(longer.encoded + Self.request)
                == [.oversized(stream: 7, length: (4 << 20) + 1), .frame(Self.frame)])
    }

    @Test func whatIsPassedOverTakesNoMemory() {
        var decoder = FrameDecoder()
        #expect(decoder.decode(hex("03 00 00 00 00 00 00 01 01 00  # 48 MiB")).isEmpty)
        for _ in 0..<48 * 1024 - 1 { #expect(decoder.decode([UInt8](repeating: 0, count: 1024)).isEmpty) }
        #expect(decoder.heldMemory == 0)
        #expect(decoder.decode([UInt8](repeating: 0, count: 1024)) == [.oversized(stream: 1, length: 48 << 20)])
    }

    @Test func aClaimedLengthReservesNothing() {
        var decoder = FrameDecoder()
        #expect(decoder.decode(hex("00 40 00 00 00 00 00 01 01 00  # 4 MiB are announced") + [1, 2, 3]).isEmpty)
        #expect(decoder.heldMemory < 1024)
    }

    @Test func otherProtocolsAreGarbage() {
        var decoder = FrameDecoder()
        #expect(decoder.decode(Array("GET / HTTP/1.1\r\n\r\n".utf8)) == [.garbage(length: 0x4745_5420)])
        #expect(decoder.decode(Self.request).isEmpty)
    }
}
