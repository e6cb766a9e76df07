/// A line of fields.txt: a field as containerd publishes it.
struct PublishedField: Equatable, CustomStringConvertible {
    let message: String
    let number: UInt64
    let name: String
    let isRepeated: Bool
    let type: String

    init?(_ line: Substring) {
        let columns = line.split(separator: " ").map(String.init)
        guard columns.count == 5, let number = UInt64(columns[1]) else { return nil }
        message = columns[0]
        self.number = number
        name = columns[2]
        isRepeated = columns[3] == "repeated"
        type = columns[4]
    }

    var description: String { "\(message).\(name) = \(number)" }

    /// The value that a sample carries in this field, on the wire and after its tag: never the default, different from
    /// field to field, and as an encoder would write it.
    var sampleValue: (wireType: UInt64, bytes: [UInt8])? {
        func delimited(_ bytes: [UInt8]) -> (UInt64, [UInt8]) { (2, varint(UInt64(bytes.count)) + bytes) }
        switch type {
        case "bool": return (0, [1])
        case "uint32", "int32", "uint64", "int64", "enum":
            return isRepeated ? delimited(varint(number)) : (0, varint(number))
        case "double": return (1, [0, 0, 0, 0, 0, 0, UInt8(truncatingIfNeeded: number), 0x40])
        case "string", "bytes": return delimited(Array("\(number)".utf8))
        case "message": return delimited([])
        default: return nil
        }
    }

    /// A value that a field of this type must refuse and one of its cousins would take; nil where there is none.
    var impossibleValue: (wireType: UInt64, bytes: [UInt8])? {
        switch type {
        // 2^33.
        case "uint32", "int32", "enum": isRepeated ? nil : (0, varint(1 << 33))
        // Not UTF-8; not a message.
        case "string", "message": (2, [1, 0xff])
        default: nil
        }
    }
}

func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
}
