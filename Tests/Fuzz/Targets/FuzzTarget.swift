/// Something that reads bytes from outside, and what must hold whatever they are: it returns, and what it understood it
/// understands again. A trap, a failed precondition, endless work or memory without bound is a finding.
///
/// libFuzzer feeds these (`make fuzz`), and the tests feed them the corpus. A new one is a file here, a line in `all`,
/// and a folder of seeds of its name in `Corpus`.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    package let name: String
    package let run: @Sendable ([UInt8]) -> Void

    init(_ name: String, _ run: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.run = run
    }

    package var description: String { name }

    package static let all: [FuzzTarget] = [
        .frames, .messages, .startInput, .json, .options, .annotations, .streams, .visitors, .http2, .answers,
        .cluster, .quantities, .policy,
    ]

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
