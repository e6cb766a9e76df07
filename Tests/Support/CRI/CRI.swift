// The kubelet's side of CRI v1, as far as tests need it: unary gRPC calls to containerd's socket. curl speaks HTTP/2 on
// a Unix socket and shows the trailers, so no gRPC library is needed.
import Commands
import Foundation

/// An answer other than OK, in gRPC's words.
package struct CallFailed: Error, CustomStringConvertible {
    package let method: String
    package let code: Int
    package let message: String

    package var description: String { "\(method): \(message) (gRPC status \(code))" }
}

package struct CRI: Sendable {
    package let socket: String

    package init(socket: String) { self.socket = socket }

    /// One call of the runtime service.
    func call(
        _ method: String, deadline: Duration = .seconds(150), _ fill: (inout Message) -> Void = { _ in }
    ) async throws -> Message {
        let request = Message(fill)
        let frame = [0] + withUnsafeBytes(of: UInt32(request.bytes.count).bigEndian, Array.init) + request.bytes
        let output = try await Command.run(
            [
                "curl", "--silent", "--show-error", "--include", "--http2-prior-knowledge", "--unix-socket", socket,
                "--header", "content-type: application/grpc", "--header", "te: trailers", "--data-binary", "@-",
                "http://containerd/runtime.v1.RuntimeService/\(method)",
            ], input: Data(frame), deadline: deadline)
        let reply = Reply(output.stdout)
        guard let code = reply["grpc-status"].flatMap({ Int($0) }) else {
            throw CallFailed(method: method, code: -1, message: "no gRPC answer: \(output.text)\(output.errorText)")
        }
        guard code == 0 else {
            throw CallFailed(method: method, code: code, message: reply["grpc-message"] ?? "")
        }
        return Message(reply.message)
    }
}

/// What `curl --include` prints: headers, an empty line, a message behind its five bytes of prefix, trailers. An error
/// has no message, its status stands among the headers.
private struct Reply {
    private(set) var message = Data()
    private var lines: [Substring] = []

    init(_ printed: Data) {
        guard let headersEnd = printed.range(of: Data("\r\n\r\n".utf8))?.upperBound else { return }
        var rest = printed[headersEnd...]
        if rest.count >= 5 {
            let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            message = rest.dropFirst(5).prefix(length)
            rest = rest.dropFirst(5 + length)
        }
        lines = [printed[..<headersEnd], rest].flatMap {
            String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline)
        }
    }

    subscript(name: String) -> String? {
        lines.last { $0.hasPrefix("\(name):") }.map {
            let value = $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
            return value.removingPercentEncoding ?? value
        }
    }
}
