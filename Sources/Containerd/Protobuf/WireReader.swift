/// Takes values off the wire. Every step is checked against the end of what is being read; nothing here can trap.
struct WireReader {
    private let bytes: [UInt8]
    private(set) var position = 0
    /// Where the message ends that is being read: the whole input, or an embedded message.
    private(set) var end: Int
    /// The tag that has been read and whose value has not.
    private(set) var tag: Tag?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        end = bytes.count
    }

    // MARK: Tags

    /// Reads the next tag; leaves nil at the end of the message.
    mutating func advance() throws(ProtobufError) {
        tag = nil
        if position == end { return }
        let value = try varint("")
        guard value >> 3 >= 1 && value >> 3 <= 0x1fff_ffff else { throw ProtobufError(.badFieldNumber, "") }
        guard let type = WireType(rawValue: UInt8(value & 7)) else {
            throw ProtobufError(.badWireType, "field \(value >> 3)")
        }
        tag = Tag(number: UInt32(value >> 3), type: type)
    }

    /// Whether the value that comes next belongs to this field.
    func isAt(_ number: UInt32) -> Bool { tag?.number == number }

    func expect(_ type: WireType, _ field: StaticString) throws(ProtobufError) {
        if tag?.type != type { throw ProtobufError(.wrongWireType, field) }
    }

    /// Passes over the value of a field nobody knows.
    mutating func skip() throws(ProtobufError) {
        guard let tag else { return }
        do throws(ProtobufError) {
            switch tag.type {
            case .varint: _ = try varint("")
            case .fixed64: _ = try fixed(8, "")
            case .fixed32: _ = try fixed(4, "")
            case .lengthDelimited: position = try delimited("").upperBound
            // Deprecated before proto3; nothing we talk to uses them, and they would need recursion to skip.
            case .groupStart, .groupEnd: throw ProtobufError(.group, "")
            }
        } catch {
            throw error.inside("field \(tag.number)")
        }
    }

    // MARK: Values

    mutating func varint(_ field: StaticString) throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            // The tenth byte has room for the 64th bit only.
            if shift == 63 && byte > 1 { throw ProtobufError(.overlongVarint, field) }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw ProtobufError(.truncated, field)
    }

    /// Little-endian, of 4 or 8 bytes.
    mutating func fixed(_ size: Int, _ field: StaticString) throws(ProtobufError) -> UInt64 {
        guard end - position >= size else { throw ProtobufError(.truncated, field) }
        var value: UInt64 = 0
        for index in (position..<position + size).reversed() { value = value << 8 | UInt64(bytes[index]) }
        position += size
        return value
    }

    /// Reads a length and gives the range of the bytes after it, without passing over them.
    private mutating func delimited(_ field: StaticString) throws(ProtobufError) -> Range<Int> {
        let length = try varint(field)
        guard length <= UInt64(end - position) else { throw ProtobufError(.truncated, field) }
        return position..<position + Int(length)
    }

    mutating func bytes(_ field: StaticString) throws(ProtobufError) -> [UInt8] {
        let range = try delimited(field)
        position = range.upperBound
        return Array(bytes[range])
    }

    mutating func string(_ field: StaticString) throws(ProtobufError) -> String {
        let range = try delimited(field)
        position = range.upperBound
        // Repairing it would name another file or container than the one that was meant.
        guard let string = String(validating: bytes[range], as: UTF8.self) else {
            throw ProtobufError(.notUTF8, field)
        }
        return string
    }

    /// Narrows the view to a length-delimited value (an embedded message, a packed list).
    /// - Returns: what `leave` needs to widen it again.
    mutating func enter(_ field: StaticString) throws(ProtobufError) -> Int {
        let range = try delimited(field)
        let outerEnd = end
        end = range.upperBound
        return outerEnd
    }

    mutating func leave(_ outerEnd: Int) {
        end = outerEnd
    }

    var isAtEnd: Bool { position == end }
}
