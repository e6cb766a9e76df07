import Hex
import Testing

@testable import Protobuf

@Suite struct MalformedInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let bytes: String
        let error: String

        init(_ bytes: String, _ error: String) {
            self.bytes = bytes
            self.error = error
        }

        var testDescription: String { error }
    }

    @Test(arguments: [
        Case("08  # tag of 1, no value", "Sample.flag ends in the middle of a value"),
        Case("80  # half a tag", "Sample ends in the middle of a value"),
        Case("08 80 80  # half a varint", "Sample.flag ends in the middle of a value"),
        Case("31 00 00 00 00 00 00 d0  # 7 of 8 bytes", "Sample.ratio ends in the middle of a value"),
        Case("3a 05 61  # a string of 5 bytes, 1 there", "Sample.text ends in the middle of a value"),
        Case(
            "3a ff ff ff ff ff ff ff ff ff 01  # a string of 2^64 - 1 bytes",
            "Sample.text ends in the middle of a value"),
        Case(
            "3a ff ff ff ff ff ff ff ff 7f  # a string of 2^63 - 1 bytes", "Sample.text ends in the middle of a value"),
        Case("52 02 08  # an embedded message of 2 bytes, 1 there", "Sample.nested ends in the middle of a value"),
        Case(
            "52 01 08 01  # the embedded message ends after a tag, though bytes follow",
            "Sample.nested.seconds ends in the middle of a value"),
        Case("6a 01 80  # half a varint in a packed list", "Sample.numbers ends in the middle of a value"),
        Case(
            "82 01 04 0a 03 61 61 61  # a key longer than its entry", "Sample.labels.key ends in the middle of a value"),
        Case("9a 06 05  # unknown field 99 of 5 bytes, none there", "Sample.field 99 ends in the middle of a value"),
        Case("9d 06 00  # unknown field 99, fixed32", "Sample.field 99 ends in the middle of a value"),
        Case(
            "18 ff ff ff ff ff ff ff ff ff 02  # 65 bits", "Sample.large has a varint of more than 64 bits"),
        Case(
            "18 ff ff ff ff ff ff ff ff ff ff 01  # 11 bytes", "Sample.large has a varint of more than 64 bits"),
        Case("00 01  # field 0", "Sample has a field number that cannot be"),
        Case("80 80 80 80 10 01  # field 2^29", "Sample has a field number that cannot be"),
        Case("0e  # wire type 6", "Sample.field 1 has a wire type that cannot be"),
        Case("0f  # wire type 7", "Sample.field 1 has a wire type that cannot be"),
        Case("9b 06 9c 06  # a group", "Sample.field 99 has a group, which is not supported"),
        Case("9c 06  # the end of a group", "Sample.field 99 has a group, which is not supported"),
        Case("0b 0c  # a group in place of a bool", "Sample.flag has another wire type than its definition"),
        Case("38 01  # a varint in place of a string", "Sample.text has another wire type than its definition"),
        Case(
            "69 00 00 00 00 00 00 00 00  # fixed64 in a list",
            "Sample.numbers has another wire type than its definition"),
        Case("10 80 80 80 80 10  # 2^32 as uint32", "Sample.small has a value that does not fit its type"),
        Case("20 80 80 80 80 80 01  # 2^35 as int32", "Sample.signed has a value that does not fit its type"),
        Case("3a 01 ff  # text", "Sample.text is not UTF-8"),
        Case("3a 02 c0 80  # an overlong NUL", "Sample.text is not UTF-8"),
        Case("3a 03 ed a0 80  # a surrogate", "Sample.text is not UTF-8"),
        Case("82 01 03 0a 01 ff  # a map's key", "Sample.labels.key is not UTF-8"),
    ])
    func isAnErrorThatNamesTheField(_ case: Case) {
        let error = #expect(throws: ProtobufError.self) { try Sample(decoding: hex(`case`.bytes)) }
        #expect(error?.description == `case`.error)
    }

    @Test func depthIsBounded() throws {
        var deepest = try Tree(decoding: Tree.bytes(depth: Fields.deepest))
        var depth = 0
        while let next = deepest.branches.first {
            deepest = next
            depth += 1
        }
        #expect(depth == Fields.deepest)
        let error = #expect(throws: ProtobufError.self) { try Tree(decoding: Tree.bytes(depth: Fields.deepest + 1)) }
        #expect(error?.reason == .tooDeep)
        // Far deeper than any stack.
        #expect(throws: ProtobufError.self) { try Tree(decoding: Tree.bytes(depth: 10_000)) }
    }

    /// No prefix of a message may trap, and none but those that end between two fields may pass.
    @Test func everyPrefixIsAMessageOrAnError() {
        let bytes = WireFormatTests.full
        var good = 0
        for length in 0...bytes.count where (try? Sample(decoding: Array(bytes.prefix(length)))) != nil { good += 1 }
        // The fields of the sample (18 on the wire), and the empty message.
        #expect(good == 19)
    }

    /// Whatever is read can be written and read again; what comes of it is the same. Bytes are changed at random, but
    /// the same way each time.
    @Test func changedBytesAreAMessageOrAnError() throws {
        var random = Xorshift()
        var read = 0
        for _ in 0..<20_000 {
            var bytes = WireFormatTests.full
            for _ in 0...random.next(below: 4) {
                bytes[random.next(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let sample = try? Sample(decoding: bytes) else { continue }
            read += 1
            // By their bytes: a NaN does not equal itself.
            let again = try Sample(decoding: sample.encoded())
            #expect(again.encoded() == sample.encoded())
        }
        #expect(read > 1000 && read < 19_000)
    }
}

/// Marsaglia's xorshift64, so that a failure can be repeated.
struct Xorshift {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
