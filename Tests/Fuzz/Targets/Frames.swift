import Protobuf

@testable import TTRPC

extension FuzzTarget {
    /// What a ttrpc peer sends. The first byte says into what pieces the rest is cut.
    static let frames = FuzzTarget("frames") { bytes in
        guard let first = bytes.first else { return }
        let stream = Array(bytes.dropFirst())
        var (decoder, divided) = (FrameDecoder(), FrameDecoder())
        let events = decoder.decode(stream)
        var again: [FrameDecoder.Event] = []
        for start in stride(from: 0, to: stream.count, by: Int(first) + 1) {
            again += divided.decode(Array(stream[start..<min(start + Int(first) + 1, stream.count)]))
            // Arrays grow by doubling.
            precondition(divided.heldMemory <= 2 * stream.count + 64, "memory for bytes that have not come")
        }
        precondition(events == again, "the same bytes, other frames")
        precondition(decoder.isAtBoundary == divided.isAtBoundary)
        for case .frame(let frame) in events {
            var fresh = FrameDecoder()
            precondition(fresh.decode(frame.encoded) == [.frame(frame)])
            if let request = try? RequestEnvelope(decoding: frame.payload) { _ = request.encoded() }
            if let response = try? ResponseEnvelope(decoding: frame.payload) { _ = response.status?.status }
        }
    }
}
