/// A call of grpc.health.v1.Health/Check as the kubelet makes it.
package struct HealthCheck: Hashable, Sendable {
    package enum Reading: Equatable, Sendable {
        case incomplete
        case unlike
        case whole(HealthCheck, stream: UInt32)
    }

    /// The HealthCheckRequest, which names the service.
    package let message: [UInt8]

    /// Settings, acknowledgements and window updates are small.
    private static let mostPayload = 1024

    /// Reads what a client sends.
    ///
    /// - Parameter needsPreface: Whether the connection's first bytes are there. A captured request may begin later.
    package static func read(_ bytes: [UInt8], needsPreface: Bool = true) -> Reading {
        let preface = HTTP2Frame.preface
        var rest = bytes[...]
        if bytes.starts(with: preface) {
            rest = rest.dropFirst(preface.count)
        } else if needsPreface {
            return preface.starts(with: bytes) ? .incomplete : .unlike
        }
        var stream: UInt32 = 0
        var data: [UInt8] = []
        while let frame = HTTP2Frame.take(from: &rest) {
            guard frame.payload.count <= mostPayload else { return .unlike }
            switch frame.kind {
            case HTTP2Frame.Kind.settings, HTTP2Frame.Kind.windowUpdate, HTTP2Frame.Kind.ping,
                HTTP2Frame.Kind.priority:
                continue
            case HTTP2Frame.Kind.headers:
                guard stream == 0, frame.stream % 2 == 1, frame.has(HTTP2Frame.endHeaders),
                    !frame.has(HTTP2Frame.endStream), let block = frame.content, HeaderBlock.isHealthCheck(block)
                else { return .unlike }
                stream = frame.stream
            case HTTP2Frame.Kind.data:
                guard stream != 0, frame.stream == stream, let content = frame.content else { return .unlike }
                data += content
                if data.count > mostPayload { return .unlike }
                guard frame.has(HTTP2Frame.endStream) else { continue }
                guard let message = message(in: data) else { return .unlike }
                return .whole(HealthCheck(message: message), stream: stream)
            default: return .unlike
            }
        }
        // A frame that will be too long to be one of these.
        if rest.count >= 3, Int(rest[rest.startIndex]) << 16 | Int(rest[rest.startIndex + 1]) << 8 > mostPayload {
            return .unlike
        }
        return .incomplete
    }

    /// gRPC puts before each message whether it is compressed, and its length.
    private static func message(in data: [UInt8]) -> [UInt8]? {
        guard data.count >= 5, data[0] == 0 else { return nil }
        let length = data[1..<5].reduce(0) { $0 << 8 | Int($1) }
        return data.count == 5 + length ? Array(data[5...]) : nil
    }
}
