import CRI
import Commands
import Foundation

/// What came over a stream of `kubectl exec`, `attach` or `port-forward`: Kubernetes' channels in the frames of a
/// WebSocket (RFC 6455).
package struct Streamed: Sendable {
    package private(set) var channels: [UInt8: Data] = [:]

    package subscript(channel: UInt8) -> String { String(decoding: channels[channel] ?? Data(), as: UTF8.self) }
    package var stdout: String { self[1] }
    package var stderr: String { self[2] }
    /// The status as Kubernetes' API has it: `{"status":"Success"}`.
    package var verdict: String { self[3] }

    fileprivate init(frames: Data) {
        var rest = frames
        while rest.count >= 2 {
            let opcode = rest[rest.startIndex] & 0x0f
            var length = Int(rest[rest.startIndex + 1] & 0x7f)
            rest = rest.dropFirst(2)
            let extra = length == 126 ? 2 : length == 127 ? 8 : 0
            if extra > 0 { length = rest.prefix(extra).reduce(0) { $0 << 8 | Int($1) } }
            rest = rest.dropFirst(extra)
            let payload = rest.prefix(length)
            rest = rest.dropFirst(length)
            // Text or binary; the others say that it ends, or are pings.
            guard opcode <= 2, let channel = payload.first else { continue }
            channels[channel, default: Data()] += payload.dropFirst()
        }
    }
}

package struct NoStream: Error {
    package let answer: String
}

extension TestNode {
    /// Asks the streaming server, sends what is given, and reads until the server ends the stream, or `until` has come.
    ///
    /// - Parameter after: what has to come before anything is sent.
    package func stream(
        _ url: String, sending frames: [(channel: UInt8, data: Data)] = [], after: String? = nil, until: String? = nil,
        deadline: Duration = .seconds(60)
    ) async throws -> Streamed {
        guard let address = URL(string: url), let host = address.host(), let port = address.port else {
            throw NoStream(answer: url)
        }
        var request = Data(
            """
            GET \(address.path()) HTTP/1.1\r
            Host: \(host):\(port)\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
            Sec-WebSocket-Protocol: v4.channel.k8s.io\r
            \r\n
            """.utf8)
        let asked = request.count
        for (channel, data) in frames { request += frame([channel] + data) }
        // Bash is client enough.
        func came(_ text: String) -> String { "until grep -aq '\(text)' $all; do sleep 0.02; done" }
        let script = """
            exec 3<>/dev/tcp/\(host)/\(port); all=$(mktemp); cat <&3 >$all & head -c \(asked) >&3
            \(after.map(came) ?? ":"); cat >&3
            \(until.map { "\(came($0)); kill $!" } ?? "wait $!"); cat $all; rm $all
            """
        let output = try await run("bash", "-c", script, input: request, deadline: deadline).stdout
        guard let start = output.range(of: Data("HTTP/1.1 101".utf8))?.lowerBound,
            let end = output[start...].range(of: Data("\r\n\r\n".utf8))?.upperBound
        else { throw NoStream(answer: String(decoding: output, as: UTF8.self)) }
        return Streamed(frames: output[end...])
    }

    /// A client's frames are masked; a mask of zeros changes nothing.
    private func frame(_ payload: [UInt8]) -> Data {
        let length =
            payload.count < 126
            ? [UInt8(payload.count)] : [126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        return Data([0x82, length[0] | 0x80] + length.dropFirst() + [0, 0, 0, 0] + payload)
    }
}
