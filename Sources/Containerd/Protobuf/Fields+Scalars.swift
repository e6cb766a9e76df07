// Single values. The type of the Swift property chooses the type on the wire:
// Bool: bool. UInt32, UInt64: uint32, uint64. Int32, Int64: int32, int64 (and open enums). Double: double.
// String: string. [UInt8]: bytes. A property that is optional has explicit presence (proto3 `optional`).

extension Fields {
    /// Reads or writes a varint; `narrow` gives nil for a value that does not fit.
    private mutating func varint<Value>(
        _ number: UInt32, _ name: StaticString, _ value: inout Value, _ wide: UInt64, isDefault: Bool,
        _ narrow: (UInt64) -> Value?
    ) throws(ProtobufError) {
        if !isReading {
            if isDefault { return }
            output.tag(number, .varint)
            output.varint(wide)
            return
        }
        // Where a field comes more than once the last one counts.
        while input.isAt(number) {
            try input.expect(.varint, name)
            guard let narrowed = narrow(try input.varint(name)) else { throw ProtobufError(.outOfRange, name) }
            value = narrowed
            try input.advance()
        }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout Bool
    ) throws(ProtobufError) {
        try varint(number, name, &value, value ? 1 : 0, isDefault: !value) { $0 != 0 }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout UInt32
    ) throws(ProtobufError) {
        try varint(number, name, &value, UInt64(value), isDefault: value == 0) { UInt32(exactly: $0) }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout UInt64
    ) throws(ProtobufError) {
        try varint(number, name, &value, value, isDefault: value == 0) { $0 }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout Int32
    ) throws(ProtobufError) {
        // Negative numbers are sign-extended to 64 bits; some writers send 32 bits only.
        try varint(number, name, &value, UInt64(bitPattern: Int64(value)), isDefault: value == 0) { wide in
            Int32(exactly: Int64(bitPattern: wide)) ?? UInt32(exactly: wide).map { Int32(bitPattern: $0) }
        }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout Int64
    ) throws(ProtobufError) {
        try varint(number, name, &value, UInt64(bitPattern: value), isDefault: value == 0) { Int64(bitPattern: $0) }
    }

    /// An enum. Make it a struct with a raw value: newer peers send values that are not known here.
    package mutating func callAsFunction<Value: RawRepresentable>(
        _ number: UInt32, _ name: StaticString, _ value: inout Value
    ) throws(ProtobufError) where Value.RawValue == Int32 {
        var raw = value.rawValue
        try self(number, name, &raw)
        if let known = Value(rawValue: raw) { value = known }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout Double
    ) throws(ProtobufError) {
        if !isReading {
            // Minus zero is not the default.
            if value.bitPattern == 0 { return }
            output.tag(number, .fixed64)
            output.fixed64(value.bitPattern)
            return
        }
        while input.isAt(number) {
            try input.expect(.fixed64, name)
            value = Double(bitPattern: try input.fixed(8, name))
            try input.advance()
        }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout String
    ) throws(ProtobufError) {
        if isReading || !value.isEmpty { try present(number, name, &value) }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout String?
    ) throws(ProtobufError) {
        if !isReading && value == nil || isReading && !input.isAt(number) { return }
        var text = value ?? ""
        try present(number, name, &text)
        value = text
    }

    /// A string that is written even when it is empty.
    private mutating func present(
        _ number: UInt32, _ name: StaticString, _ value: inout String
    ) throws(ProtobufError) {
        if !isReading {
            output.tag(number, .lengthDelimited)
            output.string(value)
            return
        }
        while input.isAt(number) {
            try input.expect(.lengthDelimited, name)
            value = try input.string(name)
            try input.advance()
        }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ value: inout [UInt8]
    ) throws(ProtobufError) {
        if !isReading {
            if value.isEmpty { return }
            output.tag(number, .lengthDelimited)
            output.bytes(value)
            return
        }
        while input.isAt(number) {
            try input.expect(.lengthDelimited, name)
            value = try input.bytes(name)
            try input.advance()
        }
    }
}
