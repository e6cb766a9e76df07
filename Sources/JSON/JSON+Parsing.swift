/// Why a text is no JSON (RFC 8259), and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package let problem: String
    /// Byte offset into the text.
    package let offset: Int

    package var description: String { "not JSON: \(problem) at byte \(offset)" }
}

extension JSON {
    /// Reads one value; nothing but white space may follow it.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var reader = Reader(bytes[...])
        self = try reader.value(depth: 0)
        try reader.end()
    }

    package init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Reads values that follow one another, as in a log of one value a line, for as long as they can be read.
    package static func sequence(parsing bytes: [UInt8]) -> [JSON] {
        var reader = Reader(bytes[...])
        var values: [JSON] = []
        while let value = try? reader.value(depth: 0) { values.append(value) }
        return values
    }
}

private struct Reader {
    /// Each level is a stack frame; real documents have fewer than 20.
    private static let deepest = 200

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    private func problem(_ text: String) -> JSONError { JSONError(problem: text, offset: rest.startIndex) }

    mutating func end() throws(JSONError) {
        skipSpace()
        if !rest.isEmpty { throw problem("more after the end") }
    }

    private mutating func skipSpace() {
        while let byte = rest.first, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { rest.removeFirst() }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func value(depth: Int) throws(JSONError) -> JSON {
        if depth > Self.deepest { throw problem("nested too deeply") }
        skipSpace()
        guard let first = rest.first else { throw problem("unexpected end") }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard rest.starts(with: expected) else { throw problem("unexpected character") }
        rest.removeFirst(expected.count)
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON.Object {
        var members: [JSON.Object.Member] = []
        rest.removeFirst()
        skipSpace()
        if take("}") { return JSON.Object() }
        repeat {
            skipSpace()
            guard rest.first == UInt8(ascii: "\"") else { throw problem("member name expected") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw problem("colon expected") }
            members.append(JSON.Object.Member(key: key, value: try value(depth: depth + 1)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw problem("comma or end of object expected") }
        return JSON.Object(members: members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSON] {
        var elements: [JSON] = []
        rest.removeFirst()
        skipSpace()
        if take("]") { return elements }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw problem("comma or end of array expected") }
        return elements
    }

    // MARK: Numbers

    private mutating func digits() -> Int {
        var count = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) {
            rest.removeFirst()
            count += 1
        }
        return count
    }

    private mutating func number() throws(JSONError) -> String {
        let start = rest
        _ = take("-")
        let leadingZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        if whole == 0 { throw problem("unexpected character") }
        if leadingZero && whole > 1 { throw problem("number with a leading zero") }
        if take("."), digits() == 0 { throw problem("digit expected") }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            if digits() == 0 { throw problem("digit expected") }
        }
        return String(decoding: start[..<rest.startIndex], as: UTF8.self)
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        rest.removeFirst()
        // Nearly all strings have no escapes: they are taken in one piece.
        guard let stop = rest.firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 })
        else { throw problem("string without end") }
        var bytes = rest[..<stop]
        rest = rest[stop...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                bytes.append(contentsOf: UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter)
            case 0..<0x20: throw problem("control character in a string")
            default: bytes.append(byte)
            }
        }
        throw problem("string without end")
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        guard let byte = rest.popFirst() else { throw problem("string without end") }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw problem("unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
        let high = try fourHexDigits()
        if let scalar = Unicode.Scalar(high) { return scalar }
        // A surrogate: the second half must follow, else it stands for nothing.
        let before = rest
        if (0xd800..<0xdc00).contains(high), take("\\"), take("u") {
            let low = try fourHexDigits()
            if (0xdc00..<0xe000).contains(low) {
                let code = 0x10000 + (UInt32(high) - 0xd800) << 10 + (UInt32(low) - 0xdc00)
                return Unicode.Scalar(code) ?? "\u{fffd}"
            }
        }
        rest = before
        return "\u{fffd}"
    }

    private mutating func fourHexDigits() throws(JSONError) -> UInt16 {
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw problem("four hexadecimal digits expected") }
        rest.removeFirst(4)
        return value
    }
}
