import JSON
import Testing

@testable import Runc

/// containerd's clients may ask for a terminal in the call alone; runc looks into the specification.
@Suite struct ExecSpecificationTests {
    @Test(arguments: [
        (#"{"args":["a"]}"#, true, #"{"args":["a"],"terminal":true}"#),
        (#"{"terminal":false,"args":["a"]}"#, true, #"{"terminal":true,"args":["a"]}"#),
        (#"{"terminal":true,"args":["a"]}"#, false, #"{"terminal":false,"args":["a"]}"#),
        // Nothing to change: not even the spaces.
        (#"{"terminal": true}"#, true, #"{"terminal": true}"#), (#"{ }"#, false, #"{ }"#),
        ("no JSON", true, "no JSON"), ("[]", true, "[]"),
    ])
    func theTerminalIsTheCalls(_ given: String, _ hasTerminal: Bool, _ expected: String) {
        let result = Runc.process(Array(given.utf8), hasTerminal: hasTerminal)
        #expect(String(decoding: result, as: UTF8.self) == expected)
    }
}
