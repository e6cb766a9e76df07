/// The answer to a health check while it arrives: the frames of stream 1 as the server sent them.
///
/// They can be sent again on another connection as they are. A header block depends on those before it and on the
/// settings of the client, and both connections have none and the defaults.
struct HealthCheckAnswer {
    private var rest: ArraySlice<UInt8> = []
    private(set) var frames: [UInt8] = []
    private(set) var isComplete = false
    private(set) var isUseless = false
    /// The server wants its settings acknowledged.
    private(set) var owesAcknowledgement = false

    mutating func acknowledged() { owesAcknowledgement = false }

    mutating func take(_ more: [UInt8]) {
        rest += more
        while !isComplete, !isUseless, let frame = HTTP2Frame.take(from: &rest) {
            switch frame.kind {
            case HTTP2Frame.Kind.settings where !frame.has(HTTP2Frame.acknowledged): owesAcknowledgement = true
            case HTTP2Frame.Kind.headers, HTTP2Frame.Kind.data, HTTP2Frame.Kind.continuation:
                guard frame.stream == 1 else { continue }
                frames += HTTP2Frame.encode(
                    kind: frame.kind, flags: frame.flags, stream: frame.stream, Array(frame.payload))
                isComplete = frame.kind != HTTP2Frame.Kind.continuation && frame.has(HTTP2Frame.endStream)
            case HTTP2Frame.Kind.reset, HTTP2Frame.Kind.goAway: isUseless = true
            default: continue
            }
        }
        if frames.count + rest.count > Answers.mostBytes { isUseless = true }
    }

    var result: [UInt8]? { isComplete && !isUseless ? frames : nil }

    /// The frames, for another stream than the first.
    static func readdress(_ frames: [UInt8], to stream: UInt32) -> [UInt8] {
        if stream == 1 { return frames }
        var (rest, result) = (frames[...], [UInt8]())
        while let frame = HTTP2Frame.take(from: &rest) {
            result += HTTP2Frame.encode(
                kind: frame.kind, flags: frame.flags, stream: stream, Array(frame.payload))
        }
        return result
    }
}
