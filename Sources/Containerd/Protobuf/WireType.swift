/// How the value after a tag is laid out (protobuf.dev/programming-guides/encoding).
enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case groupStart = 3
    case groupEnd = 4
    case fixed32 = 5
}

/// What stands before each value: which field it is for, and its layout.
struct Tag: Equatable {
    /// 1 to 2^29 - 1.
    let number: UInt32
    let type: WireType
}
