import Testing

@testable import JSON

@Suite struct JSONTests {
    @Test func numbersStayTheTextTheyWere() throws {
        let text =
            #"{"rlimit":18446744073709551615,"a":0.1,"b":1.50,"c":1e3,"d":-0,"e":123456789012345678901234567890}"#
        let value = try JSON(parsing: text)
        #expect(value.text == text)
        #expect(value["rlimit"]?.integer() == UInt64.max)
        #expect(value["rlimit"]?.integer(as: Int64.self) == nil)
        #expect(value["a"]?.integer(as: Int.self) == nil)
    }

    @Test func membersKeepTheirOrderWhenOneIsChanged() throws {
        var value = try JSON(parsing: #"{"z":1,"a":{"y":true,"b":null},"m":["x",2]}"#)
        value["a"]?["y"] = .integer(7)
        value["new"] = ["k": "v"]
        value["z"] = "changed"
        #expect(value.text == #"{"z":"changed","a":{"y":7,"b":null},"m":["x",2],"new":{"k":"v"}}"#)
        value["a"] = nil
        #expect(value.text == #"{"z":"changed","m":["x",2],"new":{"k":"v"}}"#)
    }

    @Test func nullIsThereAndAbsentIsNot() throws {
        let value = try JSON(parsing: #"{"a":null}"#)
        #expect(value["a"] == .null)
        #expect(value["b"] == nil)
        #expect(value["a"]?["deeper"] == nil)
    }

    @Test(arguments: [
        (#""plain""#, "plain"),
        (#""""#, ""),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u003c\u00e9\u20AC""#, "<é€"),
        (#""\ud83d\ude00""#, "😀"),
        (#""é€😀""#, "é€😀"),
        (#""\ud83d!""#, "\u{fffd}!"),
        (#""\ud83d\n""#, "\u{fffd}\n"),
        (#""\udE00""#, "\u{fffd}"),
        (#""\u0000""#, "\u{0}"),
    ])
    func stringsAreUnescaped(_ text: String, _ expected: String) throws {
        let value = try JSON(parsing: text)
        #expect(value.string == expected)
        #expect(try JSON(parsing: value.text) == value)
    }

    @Test func bytesThatAreNoTextAreReplaced() throws {
        #expect(try JSON(parsing: [0x22, 0xff, 0x41, 0x22]).string == "\u{fffd}A")
    }

    @Test func controlCharactersAreEscaped() throws {
        #expect(JSON.string("a\u{1}\n\"\\\u{1f}").text == #""a\u0001\u000a\"\\\u001f""#)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "01", "-", "1.", ".5", "1e",
        "+1", "tru", "nulll", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"a\nb\"", "1 2", "NaN", "'a'", "[\"\\",
    ])
    func whatIsNoJSONIsRefused(_ text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func theErrorSaysWhere() {
        #expect(throws: JSONError(problem: "colon expected", offset: 5)) { try JSON(parsing: #"{"a" 1}"#) }
    }

    @Test func depthIsLimitedAndDoesNotOverflowTheStack() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(try JSON(parsing: nested(200)).array?.count == 1)
        #expect(throws: JSONError.self) { try JSON(parsing: nested(100_000)) }
    }

    @Test func ofTwoMembersWithOneNameTheLastCounts() throws {
        #expect(try JSON(parsing: #"{"a":1,"a":2}"#)["a"]?.integer() == 2)
    }

    @Test func valuesOneAfterAnotherAreReadUpToTheOneThatIsCutOff() {
        let log = "{\"level\":\"error\"}\n{\"level\":\"info\"}\n{\"lev"
        #expect(JSON.sequence(parsing: Array(log.utf8)) == [["level": "error"], ["level": "info"]])
    }

    @Test func stringsAndMapsLeaveOutWhatDoesNotFit() throws {
        let value = try JSON(parsing: #"{"list":["a",1,"b"],"map":{"k":"v","n":1}}"#)
        #expect(value["list"]?.strings == ["a", "b"])
        #expect(value["map"]?.stringMap == ["k": "v"])
    }
}
