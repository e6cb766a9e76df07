// Embedded messages, lists and maps.

extension Fields {
    package mutating func callAsFunction<M: Message>(
        _ number: UInt32, _ name: StaticString, _ value: inout M?
    ) throws(ProtobufError) {
        if !isReading {
            guard var message = value else { return }
            output.tag(number, .lengthDelimited)
            try embedded(name, &message)
            return
        }
        while input.isAt(number) {
            try input.expect(.lengthDelimited, name)
            var message = value ?? M()
            try embedded(name, &message)
            value = message
            try input.advance()
        }
    }

    package mutating func callAsFunction<M: Message>(
        _ number: UInt32, _ name: StaticString, _ values: inout [M]
    ) throws(ProtobufError) {
        if !isReading {
            for var message in values {
                output.tag(number, .lengthDelimited)
                try embedded(name, &message)
            }
            return
        }
        while input.isAt(number) {
            try input.expect(.lengthDelimited, name)
            var message = M()
            try embedded(name, &message)
            values.append(message)
            try input.advance()
        }
    }

    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ values: inout [String]
    ) throws(ProtobufError) {
        if !isReading {
            for text in values {
                output.tag(number, .lengthDelimited)
                output.string(text)
            }
            return
        }
        while input.isAt(number) {
            try input.expect(.lengthDelimited, name)
            values.append(try input.string(name))
            try input.advance()
        }
    }

    /// `repeated uint64`: written packed, read packed or not, as the format asks.
    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ values: inout [UInt64]
    ) throws(ProtobufError) {
        try packed(number, name, &values) {
            $0
        } narrow: {
            $0
        }
    }

    /// `repeated int32`, and lists of open enums.
    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ values: inout [Int32]
    ) throws(ProtobufError) {
        try packed(number, name, &values) {
            UInt64(bitPattern: Int64($0))
        } narrow: {
            Int32(truncatingIfNeeded: $0)
        }
    }

    private mutating func packed<Value>(
        _ number: UInt32, _ name: StaticString, _ values: inout [Value],
        wide: (Value) -> UInt64, narrow: (UInt64) -> Value
    ) throws(ProtobufError) {
        if !isReading {
            if values.isEmpty { return }
            output.tag(number, .lengthDelimited)
            let mark = output.mark
            for value in values { output.varint(wide(value)) }
            output.closeDelimited(mark)
            return
        }
        while input.isAt(number) {
            if input.tag?.type == .varint {
                values.append(narrow(try input.varint(name)))
            } else {
                try input.expect(.lengthDelimited, name)
                let outerEnd = try input.enter(name)
                while !input.isAtEnd { values.append(narrow(try input.varint(name))) }
                input.leave(outerEnd)
            }
            try input.advance()
        }
    }

    /// `map<string, string>`: on the wire a list of messages of key 1 and value 2.
    package mutating func callAsFunction(
        _ number: UInt32, _ name: StaticString, _ values: inout [String: String]
    ) throws(ProtobufError) {
        if !isReading {
            // Sorted, so that equal messages are equal bytes.
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                var entry = MapEntry {
                    $0.key = key
                    $0.value = value
                }
                output.tag(number, .lengthDelimited)
                try embedded(name, &entry)
            }
            return
        }
        while input.isAt(number) {
            try input.expect(.lengthDelimited, name)
            var entry = MapEntry()
            try embedded(name, &entry)
            values[entry.key] = entry.value
            try input.advance()
        }
    }
}

private struct MapEntry: Message {
    static var name: String { "map entry" }

    var key = ""
    var value = ""

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "key", &key)
        try fields(2, "value", &value)
    }
}
