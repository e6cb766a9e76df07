import Hex
import Testing

@testable import Protobuf

@Suite struct WireFormatTests {
    /// Byte for byte what protoc 3.21 makes of `Sample.full`, but that it writes the empty value in the map out.
    static let full = hex(
        """
        08 01                           # 1 flag: true
        10 ff ff ff ff 0f               # 2 small: 2^32 - 1
        18 ff ff ff ff ff ff ff ff ff 01  # 3 large: 2^64 - 1
        20 ff ff ff ff ff ff ff ff ff 01  # 4 signed: -1, extended to 64 bits
        28 80 80 80 80 80 80 80 80 80 01  # 5 wide: -2^63
        31 00 00 00 00 00 00 d0 3f      # 6 ratio: 0.25
        3a 07 47 72 c3 bc c3 9f 65      # 7 text: "Grüße"
        42 00                           # 8 maybe: "", present
        4a 02 00 ff                     # 9 blob
        52 04                           # 10 nested
           08 01                        #   1 seconds: 1
           10 02                        #   2 nanos: 2
        5a 00                           # 11 list, the first: defaults
        5a 0b                           # 11 list, the second
           08 ff ff ff ff ff ff ff ff ff 01  # 1 seconds: -1
        62 00                           # 12 words: ""
        62 01 62                        # 12 words: "b"
        6a 03                           # 13 numbers, packed
           00                           #   0
           ac 02                        #   300
        72 0b                           # 14 kinds, packed
           fc ff ff ff ff ff ff ff ff 01  # -4
           08                           #   8
        82 01 03                        # 16 labels, a tag of two bytes
           0a 01 61                     #   1 key: "a", and no value
        82 01 06                        # 16 labels
           0a 01 62                     #   1 key: "b"
           12 01 32                     #   2 value: "2"
        """)

    @Test func everyKindOfFieldIsWritten() {
        #expect(Sample.full.encoded() == Self.full)
    }

    @Test func everyKindOfFieldIsRead() throws {
        #expect(try Sample(decoding: Self.full) == Sample.full)
    }

    @Test func defaultsTakeNoBytes() throws {
        #expect(Sample().encoded().isEmpty)
        #expect(try Sample(decoding: []) == Sample())
    }

    @Test func fieldsMayComeInAnyOrderAndTheLastOneCounts() throws {
        let bytes = hex(
            """
            3a 01 62  # 7 text: "b"
            08 01     # 1 flag: true
            3a 01 61  # 7 text: "a"
            08 00     # 1 flag: false
            """)
        #expect(try Sample(decoding: bytes) == Sample { $0.text = "a" })
    }

    @Test func unknownFieldsArePassedOver() throws {
        let bytes = hex(
            """
            98 06 01                    # 99: varint
            08 01                       # 1 flag: true
            99 06 01 02 03 04 05 06 07 08  # 99: fixed64
            9a 06 03 08 00 08           # 99: length-delimited
            9d 06 01 02 03 04           # 99: fixed32
            10 05                       # 2 small: 5
            f8 ff ff ff 0f 00           # 2^29 - 1, the highest number: varint
            """)
        let expected = Sample {
            $0.flag = true
            $0.small = 5
        }
        #expect(try Sample(decoding: bytes) == expected)
    }

    @Test func listsOfNumbersMayComePackedOrNotOrBoth() throws {
        let bytes = hex(
            """
            68 01        # 13 numbers: 1
            6a 02 02 03  # 13 numbers, packed: 2, 3
            08 01        # 1 flag in between
            68 04        # 13 numbers: 4
            """)
        #expect(try Sample(decoding: bytes).numbers == [1, 2, 3, 4])
    }

    /// The format asks for it: a message may be sent in pieces.
    @Test func anEmbeddedMessageThatComesTwiceIsMerged() throws {
        let bytes = hex(
            """
            52 02 08 01  # 10 nested: seconds 1
            52 02 10 02  # 10 nested: nanos 2
            """)
        #expect(try Sample(decoding: bytes).nested == Timestamp(seconds: 1, nanoseconds: 2))
    }

    @Test func negativeNumbersMayComeIn32Bits() throws {
        #expect(try Sample(decoding: hex("20 ff ff ff ff 0f")).signed == -1)
    }

    @Test func mapKeysMayBeMissingAndMayRepeat() throws {
        let bytes = hex(
            """
            82 01 03 12 01 31           # "": "1"
            82 01 06 0a 01 61 12 01 31  # "a": "1"
            82 01 06 0a 01 61 12 01 32  # "a": "2"
            """)
        #expect(try Sample(decoding: bytes).labels == ["": "1", "a": "2"])
    }

    @Test func longEmbeddedMessagesGetLongLengths() throws {
        for length in [126, 127, 128, 16383, 16384] {
            let outer = AnyMessage(typeURL: "t", value: [UInt8](repeating: 7, count: length))
            let wrapped = AnyMessage(packing: outer)
            #expect(try AnyMessage(decoding: wrapped.encoded()).unpack(as: AnyMessage.self) == outer)
            let listed = Sample { $0.labels = ["k": String(repeating: "v", count: length)] }
            #expect(try Sample(decoding: listed.encoded()) == listed)
        }
    }

    @Test func anyIsUnpackedWithAndWithoutPrefixAndOnlyAsItsOwnType() throws {
        let time = Timestamp(seconds: 5, nanoseconds: 0)
        #expect(AnyMessage(packing: time).typeURL == "google.protobuf.Timestamp")
        for prefix in ["", "type.googleapis.com/", "/"] {
            let any = AnyMessage(typeURL: prefix + "google.protobuf.Timestamp", value: time.encoded())
            #expect(try any.unpack(as: Timestamp.self) == time)
            #expect(try any.unpack(as: Empty.self) == nil)
        }
    }
}
