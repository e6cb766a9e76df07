import JSON
import Testing
@Suite struct JSONTests { @Test func x() throws { #expect(try JSON(parsing: "{\"a\":18446744073709551615}").text == "{\"a\":18446744073709551615}") } }
