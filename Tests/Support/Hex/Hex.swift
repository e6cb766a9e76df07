/// Bytes from annotated hexadecimal: `08 01  # field 1, varint`. What follows a `#` is a comment to the end of the line.
package func hex(_ text: String) -> [UInt8] {
    text.split(separator: "\n").flatMap { line in
        line.prefix { $0 != "#" }.split(separator: " ").map { digits in
            guard digits.utf8.count == 2, let byte = UInt8(digits, radix: 16) else {
                fatalError("not a byte: \(digits)")
            }
            return byte
        }
    }
}
