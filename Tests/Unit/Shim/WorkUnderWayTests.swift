import Testing

@testable import Shim

@Suite struct WorkUnderWayTests {
    @Test func aDeletionWaitsForAllThatIsUnderWay() {
        let work = WorkUnderWay()
        var deletions = 0
        // A restore, and a kill meanwhile.
        work.begin()
        work.begin()
        work.whenDone { deletions += 1 }
        work.end()
        #expect(deletions == 0)
        work.end()
        #expect(deletions == 1)
        work.begin()
        work.end()
        #expect(deletions == 1)
        work.whenDone { deletions += 1 }
        #expect(deletions == 2)
    }
}
