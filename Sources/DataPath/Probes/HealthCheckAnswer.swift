/// The answer to a health check: the frames of stream 1 as the server sent them.
///
/// They can be sent again on another connection as they are. A header block depends on those before it and on the
/// settings of the client, and both connections have none and the defaults.
enum HealthCheckAnswer {
    /// A HealthCheckResponse that says SERVING, behind what gRPC puts before each message.
    private static let serving: [UInt8] = [0, 0, 0, 0, 2, 0x08, 0x01]

    /// What to answer with again; nil if it is not all there, or says anything but SERVING.
    ///
    /// - Parameter bytes: What the server has sent.
    static func read(_ bytes: [UInt8]) -> [UInt8]? {
        var (rest, frames, message) = (bytes[...], [UInt8](), [UInt8]())
        while let frame = HTTP2Frame.take(from: &rest) {
            switch frame.kind {
            case HTTP2Frame.Kind.headers, HTTP2Frame.Kind.data, HTTP2Frame.Kind.continuation:
                guard frame.stream == 1 else { continue }
                frames += HTTP2Frame.encode(
                    kind: frame.kind, flags: frame.flags, stream: frame.stream, Array(frame.payload))
                if frame.kind == HTTP2Frame.Kind.data { message += frame.content ?? [] }
                if frame.kind != HTTP2Frame.Kind.continuation && frame.has(HTTP2Frame.endStream) {
                    return message == serving ? frames : nil
                }
            case HTTP2Frame.Kind.reset, HTTP2Frame.Kind.goAway: return nil
            default: continue
            }
        }
        return nil
    }

    /// Whether the server has said all that it had to say.
    static func isComplete(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let frame = HTTP2Frame.take(from: &rest) {
            switch frame.kind {
            case HTTP2Frame.Kind.headers, HTTP2Frame.Kind.data:
                if frame.stream == 1 && frame.has(HTTP2Frame.endStream) { return true }
            case HTTP2Frame.Kind.reset, HTTP2Frame.Kind.goAway: return true
            default: continue
            }
        }
        return false
    }

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
