/// What a worker takes at a time: suites, run by one process of the test bundle, or a step, a command that counts its own
/// checks in its last line.
struct Item: Sendable {
    enum Work: Sendable {
        case tests([Test])
        case step(command: String)
    }

    let name: String
    let work: Work
    /// Seconds.
    let expected: Double
    /// Nothing runs beside it.
    var isAlone = false
    /// A file without which it cannot begin: something that is built meanwhile.
    var awaited: String?

    var tests: [Test] {
        if case .tests(let tests) = work { tests } else { [] }
    }

    /// Far more than it takes on a busy machine; only what hangs meets it.
    var limit: Duration { .seconds(600 + 5 * Int(expected)) }
}
