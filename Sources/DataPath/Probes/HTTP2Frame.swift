/// A frame of HTTP/2 (RFC 9113, 4.1).
struct HTTP2Frame: Equatable {
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    static let endStream: UInt8 = 0x1
    static let acknowledged: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let hasPriority: UInt8 = 0x20

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let headerSize = 9

    let kind: UInt8
    let flags: UInt8
    let stream: UInt32
    let payload: ArraySlice<UInt8>

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    /// Takes one frame from the front; nil if it is not all there.
    static func take(from bytes: inout ArraySlice<UInt8>) -> HTTP2Frame? {
        guard bytes.count >= headerSize else { return nil }
        let start = bytes.startIndex
        func number(_ range: Range<Int>) -> UInt32 { range.reduce(0) { $0 << 8 | UInt32(bytes[start + $1]) } }
        let length = Int(number(0..<3))
        guard bytes.count >= headerSize + length else { return nil }
        let frame = HTTP2Frame(
            kind: bytes[start + 3], flags: bytes[start + 4], stream: number(5..<9) & 0x7fff_ffff,
            payload: bytes[(start + headerSize)..<(start + headerSize + length)])
        bytes = bytes.dropFirst(headerSize + length)
        return frame
    }

    /// What is between padding and priority (6.1, 6.2); nil if the lengths do not fit.
    var content: ArraySlice<UInt8>? {
        var rest = payload
        var padding = 0
        if has(Self.padded) {
            guard let length = rest.popFirst() else { return nil }
            padding = Int(length)
        }
        if kind == Kind.headers && has(Self.hasPriority) {
            guard rest.count >= 5 else { return nil }
            rest = rest.dropFirst(5)
        }
        return rest.count >= padding ? rest.dropLast(padding) : nil
    }

    static func encode(kind: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        var frame = Array(bytes(of: UInt32(payload.count)).dropFirst())
        frame += [kind, flags]
        frame += bytes(of: stream)
        return frame + payload
    }

    /// Lengths and numbers of streams go with their highest byte first.
    static func bytes(of number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}
