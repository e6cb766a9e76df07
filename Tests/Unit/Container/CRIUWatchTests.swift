import Checkpoint
import Linux
import Testing

@testable import Shim

/// When CRIU is taken to hang.
@Suite struct CRIUWatchTests {
    private let node: StandInNode
    private let call = CallUnderWay()

    init() throws { node = try StandInNode() }

    private func watched(_ body: (_ hangs: () -> Int) -> Void) {
        var hangs = 0
        let watch = CRIUWatch(call, Snapshot(directory: "\(node.directory)/none"), loop: node.loop) { hangs += 1 }
        body { hangs }
        watch.end()
    }

    @Test func whatWaitsForTheShimDoesNotHang() {
        watched { hangs in
            call.whileCRIUWaits { node.pass(.seconds(60)) }
            #expect(hangs() == 0 && !call.isEnded)
            node.pass(.seconds(11))
            #expect(hangs() == 1 && call.isEnded)
        }
    }

    /// CRIU has had a second of its ten when the timer fires.
    @Test func aWaitThatHasEndedIsProgress() {
        watched { hangs in
            call.whileCRIUWaits { node.pass(.seconds(9)) }
            node.pass(.seconds(2))
            #expect(hangs() == 0 && !call.isEnded)
            node.pass(.seconds(10))
            #expect(hangs() == 1 && call.isEnded)
        }
    }
}
