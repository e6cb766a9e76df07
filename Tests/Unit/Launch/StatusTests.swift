import Shim
import StatusAPI
import Testing

/// What the status service says is what the shim has: Launch knows both.
@Suite struct StatusTests {
    @Test func everyWayOfWakingHasACount() {
        #expect(WakeCount.ways == Caller.Way.allCases.map(\.rawValue))
    }
}
