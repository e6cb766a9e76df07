import Protobuf

/// A message with a field of each kind.
struct Sample: Message {
    static var name: String { "Sample" }

    var flag = false
    var small: UInt32 = 0
    var large: UInt64 = 0
    var signed: Int32 = 0
    var wide: Int64 = 0
    var ratio = 0.0
    var text = ""
    var maybe: String?
    var blob: [UInt8] = []
    var nested: Timestamp?
    var list: [Timestamp] = []
    var words: [String] = []
    var numbers: [UInt64] = []
    var kinds: [Int32] = []
    var labels: [String: String] = [:]

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "flag", &flag)
        try fields(2, "small", &small)
        try fields(3, "large", &large)
        try fields(4, "signed", &signed)
        try fields(5, "wide", &wide)
        try fields(6, "ratio", &ratio)
        try fields(7, "text", &text)
        try fields(8, "maybe", &maybe)
        try fields(9, "blob", &blob)
        try fields(10, "nested", &nested)
        try fields(11, "list", &list)
        try fields(12, "words", &words)
        try fields(13, "numbers", &numbers)
        try fields(14, "kinds", &kinds)
        try fields(16, "labels", &labels)
    }

    /// Every field set.
    static var full: Sample {
        Sample {
            $0.flag = true
            $0.small = .max
            $0.large = .max
            $0.signed = -1
            $0.wide = .min
            $0.ratio = 0.25
            $0.text = "Grüße"
            $0.maybe = ""
            $0.blob = [0, 255]
            $0.nested = Timestamp(seconds: 1, nanoseconds: 2)
            $0.list = [Timestamp(), Timestamp(seconds: -1, nanoseconds: 0)]
            $0.words = ["", "b"]
            $0.numbers = [0, 300]
            $0.kinds = [-4, 8]
            $0.labels = ["b": "2", "a": ""]
        }
    }
}

/// A message that holds itself, as deep as one likes.
struct Tree: Message {
    static var name: String { "Tree" }

    var branches: [Tree] = []

    mutating func visit(_ fields: inout Fields) throws(ProtobufError) {
        try fields(1, "branches", &branches)
    }

    /// The bytes of a tree without side branches.
    static func bytes(depth: Int) -> [UInt8] {
        (0..<depth).reduce([]) { inner, _ in
            var outer = WireFormat.varint(1 << 3 | 2)
            outer += WireFormat.varint(UInt64(inner.count))
            return outer + inner
        }
    }
}

/// Just enough of the format to make bad messages with, independent of the code under test.
enum WireFormat {
    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
    }
}
