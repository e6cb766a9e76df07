import Linux
import Testing

@testable import Shim

@Suite struct ExecRhythmTests {
    private let minute = Instant.Span.seconds(60)
    private let second: UInt64 = 1_000_000_000

    private func goesOn(after times: [UInt64], at now: UInt64) -> Bool {
        var rhythm = ExecRhythm()
        for time in times { rhythm.ran(at: Instant(nanoseconds: time * second), within: minute) }
        return rhythm.goesOn(at: Instant(nanoseconds: now * second), within: minute)
    }

    @Test func onlyManyInARowAreOne() {
        #expect(!goesOn(after: [], at: 0))
        #expect(!goesOn(after: [1000, 1010], at: 1011))
        #expect(goesOn(after: [1000, 1010, 1020], at: 1030))
        #expect(!goesOn(after: [1000, 1010, 1020], at: 1080))
        #expect(!goesOn(after: [1000, 1010, 1070], at: 1071))
        #expect(goesOn(after: [1000, 1070, 1080, 1090], at: 1091))
    }
}
