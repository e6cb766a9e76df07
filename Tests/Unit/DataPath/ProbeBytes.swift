import DataPath
import Linux

/// What probes look like on the wire.
enum ProbeBytes {
    /// As net/http of Go writes it for a kubelet.
    static func http(_ path: String = "/healthz", agent: String = "kube-probe/1.36", more: String = "") -> [UInt8] {
        Array(
            """
            GET \(path) HTTP/1.1\r
            Host: 10.0.0.2:80\r
            User-Agent: \(agent)\r
            Accept: */*\r
            \(more)Connection: close\r
            \r

            """.utf8)
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    static let acknowledgement: [UInt8] = [0, 0, 0, 4, 1, 0, 0, 0, 0]

    static func frame(_ kind: UInt8, _ flags: UInt8, stream: UInt8 = 1, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xff), kind, flags, 0, 0, 0, stream] + payload
    }

    static let path: [UInt8] = [
        0x62, 0x6b, 0x2b, 0x22, 0xf3, 0x94, 0x74, 0x26, 0x75, 0xfb, 0x85, 0x7c, 0x65, 0x1d, 0x09, 0x9d, 0x8b, 0xd3,
        0x94, 0x9d, 0x7f,
    ]
    /// "kube-probe/1.36 grpc-go/1.72.1"
    static let agent: [UInt8] = [
        0xeb, 0x6c, 0x65, 0x5a, 0xbb, 0x0f, 0x19, 0x58, 0x0a, 0xec, 0xb8, 0xa4, 0xd6, 0x56, 0x45, 0xa6, 0x3b, 0x01,
        0x5d, 0xd1, 0x2e, 0x1f,
    ]

    /// The fields as grpc-go writes them: incremental indexing, the Huffman code, the deadline last.
    static func headers(timeout: String = "999ms", path: [UInt8] = path, agent: [UInt8] = agent) -> [UInt8] {
        var block: [UInt8] = [0x83, 0x86, 0x44, 0x80 | UInt8(path.count)]
        block += path
        block += [0x41, 0x03]
        block += "pod".utf8
        block += [0x5f, 0x10]
        block += "application/grpc".utf8
        block += [0x7a, 0x80 | UInt8(agent.count)]
        block += agent
        block += [0x40, 0x02]
        block += "te".utf8
        block += [0x08]
        block += "trailers".utf8
        block += [0x40, 0x0c]
        block += "grpc-timeout".utf8
        block += [UInt8(timeout.utf8.count)]
        block += timeout.utf8
        return frame(1, 4, block)
    }

    static func message(_ service: String) -> [UInt8] {
        service.isEmpty ? [] : [0x0a, UInt8(service.utf8.count)] + Array(service.utf8)
    }

    static func data(_ service: String) -> [UInt8] {
        let message = message(service)
        return frame(0, 1, [0, 0, 0, 0, UInt8(message.count)] + message)
    }

    static func check(_ service: String = "", timeout: String = "999ms") -> [UInt8] {
        preface + settings + acknowledgement + headers(timeout: timeout) + data(service)
    }

    /// As a test's node is called: 10.0.0.1.
    static let asker = SocketAddress(ipv4: 0x0a00_0001, port: 0).address

    static func captured(
        _ bytes: [UInt8], port: UInt16 = 80, by asker: UInt128 = asker, answer: [UInt8] = [], isOver: Bool = false
    ) -> CapturedRequest {
        CapturedRequest(asker: asker, port: port, last: .now, bytes: bytes, answer: answer, isOver: isOver)
    }
}
