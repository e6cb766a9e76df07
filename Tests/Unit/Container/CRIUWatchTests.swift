import Checkpoint
import Linux
import Testing

@testable import Shim

/// When CRIU is taken to hang.
@Suite struct CRIUWatchTests {
    @Test func whatWaitsForTheShimDoesNotHang() throws {
        let node = try StandInNode()
        let call = CallUnderWay()
        var hangs = 0
        let watch = CRIUWatch(call, Snapshot(directory: "\(node.directory)/none"), loop: node.loop) { hangs += 1 }
        call.whileCRIUWaits { node.pass(.seconds(60)) }
        #expect(hangs == 0 && !call.isEnded)
        node.pass(.seconds(11))
        #expect(hangs == 1 && call.isEnded)
        watch.end()
    }

    /// CRIU has had a second of its ten when the timer fires.
    @Test func aWaitThatHasEndedIsProgress() throws {
        let node = try StandInNode()
        let call = CallUnderWay()
        var hangs = 0
        let watch = CRIUWatch(call, Snapshot(directory: "\(node.directory)/none"), loop: node.loop) { hangs += 1 }
        call.whileCRIUWaits { node.pass(.seconds(9)) }
        node.pass(.seconds(2))
        #expect(hangs == 0 && !call.isEnded)
        node.pass(.seconds(10))
        #expect(hangs == 1 && call.isEnded)
        watch.end()
    }
}
