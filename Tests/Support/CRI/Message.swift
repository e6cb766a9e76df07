import Foundation

/// A protobuf message as CRI uses them: fields by number, absent ones are empty. Kept apart from the project's own codec
/// on purpose: the tests would not see a mistake that both sides make.
package struct Message {
    private(set) var bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8> = [UInt8]()) { self.bytes = Array(bytes) }

    init(_ fill: (inout Message) -> Void) {
        self.init()
        fill(&self)
    }
}

// MARK: Writing

extension Message {
    mutating func set(_ field: Int, _ value: Int) {
        guard value != 0 else { return }
        varint(UInt64(field) << 3)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func set(_ field: Int, _ value: Bool) { set(field, value ? 1 : 0) }

    mutating func set(_ field: Int, _ value: String) {
        if !value.isEmpty { add(field, Array(value.utf8)) }
    }

    mutating func set(_ field: Int, _ value: Message) { add(field, value.bytes) }

    /// A message within this one.
    mutating func set(_ field: Int, _ fill: (inout Message) -> Void) { add(field, Message(fill).bytes) }

    mutating func set(_ field: Int, _ values: [String]) {
        for value in values { add(field, Array(value.utf8)) }
    }

    mutating func set(_ field: Int, _ pairs: [String: String]) {
        for (key, value) in pairs {
            set(field) {
                $0.set(1, key)
                $0.set(2, value)
            }
        }
    }

    private mutating func add(_ field: Int, _ value: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

// MARK: Reading

extension Message {
    private enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    func integer(_ field: Int) -> Int {
        guard case .number(let value) = values(field).last else { return 0 }
        return Int(truncatingIfNeeded: value)
    }

    func string(_ field: Int) -> String { String(decoding: data(field), as: UTF8.self) }

    func data(_ field: Int) -> Data {
        guard case .bytes(let value) = values(field).last else { return Data() }
        return Data(value)
    }

    func message(_ field: Int) -> Message { Message(data(field)) }

    func messages(_ field: Int) -> [Message] {
        values(field).compactMap { if case .bytes(let value) = $0 { Message(value) } else { nil } }
    }

    func map(_ field: Int) -> [String: String] {
        Dictionary(messages(field).map { ($0.string(1), $0.string(2)) }) { $1 }
    }

    /// Every value of a field, in order. Reads up to the first thing that is no field and stops there.
    private func values(_ wanted: Int) -> [Value] {
        var rest = bytes[...]
        var found: [Value] = []
        while let tag = Self.varint(&rest) {
            var value: Value
            switch tag & 7 {
            case 0:
                guard let number = Self.varint(&rest) else { return found }
                value = .number(number)
            case 1:
                value = .bytes(rest.prefix(8))
                rest = rest.dropFirst(8)
            case 2:
                guard let count = Self.varint(&rest), count <= rest.count else { return found }
                value = .bytes(rest.prefix(Int(count)))
                rest = rest.dropFirst(Int(count))
            case 5:
                value = .bytes(rest.prefix(4))
                rest = rest.dropFirst(4)
            default: return found
            }
            if tag >> 3 == UInt64(wanted) { found.append(value) }
        }
        return found
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
