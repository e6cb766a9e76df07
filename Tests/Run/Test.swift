/// A test function, with all its cases, as `--list-tests` and the events of a run name it.
struct Test: Hashable, Sendable {
    /// "EndToEndTests.SleepingPods/HeldRestoreTests/endIsCarriedOut(_:)"
    let id: String

    /// - Parameter id: may end with where the test stands, as it does in events: "/HeldRestoreTests.swift:36:10".
    init(_ id: some StringProtocol) {
        let parts = id.split(separator: "/", omittingEmptySubsequences: false)
        let end = parts.firstIndex { $0.contains(".swift:") } ?? parts.endIndex
        self.id = parts[..<end].joined(separator: "/")
    }

    /// "EndToEndTests"
    var module: String { String(id.prefix { $0 != "." }) }

    /// "EndToEndTests.SleepingPods/HeldRestoreTests": the suites around the function.
    var suite: String { id.split(separator: "/").dropLast().joined(separator: "/") }

    /// "EndToEndTests.SleepingPods": nodes belong to it.
    var outermost: String { String(id.prefix { $0 != "/" }) }
}
