/// Puts values on the wire.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func tag(_ number: UInt32, _ type: WireType) {
        varint(UInt64(number) << 3 | UInt64(type.rawValue))
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func fixed64(_ value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }

    mutating func bytes(_ value: [UInt8]) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func string(_ value: String) {
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Where a length-delimited value of unknown length begins.
    var mark: Int { bytes.count }

    /// Puts the length of what has been written since `mark` before it. Moving it is cheaper than measuring first:
    /// embedded messages are small and lie one or two deep.
    mutating func closeDelimited(_ mark: Int) {
        var length = WireWriter()
        length.varint(UInt64(bytes.count - mark))
        bytes.insert(contentsOf: length.bytes, at: mark)
    }
}
