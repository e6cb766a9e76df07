import Glibc
import Linux
import Testing

@Suite struct EventLoopTests {
    @Test func timersFireInOrderOfTheirDeadlines() throws {
        let loop = try EventLoop()
        var fired: [Int] = []
        // So much later than the next one that nothing in between makes it earlier.
        loop.after(.milliseconds(500)) {
            fired.append(2)
            loop.stop()
        }
        loop.after(.milliseconds(1)) { fired.append(1) }
        let cancelled = loop.after(.milliseconds(1)) { fired.append(0) }
        loop.cancel(cancelled)
        try loop.run()
        #expect(fired == [1, 2])
    }

    @Test func aHandlerMayCloseWhatAnotherHandlerOfTheSameRoundWaitsFor() throws {
        let loop = try EventLoop()
        let first = try Descriptor.pipe()
        let second = try Descriptor.pipe()
        try first.write.writeAll([1])
        try second.write.writeAll([1])
        var called: [String] = []
        let (one, two) = (first.read.rawValue, second.read.rawValue)
        try loop.watch(one, .readable) { _ in
            called.append("first")
            loop.unwatch(one)
            loop.unwatch(two)
            loop.stop()
        }
        try loop.watch(two, .readable) { _ in
            called.append("second")
            loop.unwatch(one)
            loop.unwatch(two)
            loop.stop()
        }
        try loop.run()
        #expect(called.count == 1)
    }

    @Test func aTimerMayCancelAnotherThatIsDueAsWell() throws {
        let loop = try EventLoop()
        var fired: [Int] = []
        var second: Timer?
        loop.after(.milliseconds(1)) {
            fired.append(1)
            if let second { loop.cancel(second) }
        }
        second = loop.after(.milliseconds(1)) { fired.append(2) }
        loop.after(.milliseconds(1)) { fired.append(3) }
        // Late enough for all of them to be due in one round.
        let allDue = Instant.now + .milliseconds(2)
        while Instant.now < allDue {}
        loop.after(.milliseconds(2)) { loop.stop() }
        try loop.run()
        #expect(fired == [1, 3])
    }

    @Test func workOnAThreadComesBackToTheLoop() throws {
        let loop = try EventLoop()
        var result: Int?
        try loop.onThread("worker") {
            6 * 7
        } then: {
            result = $0
            loop.stop()
        }
        try loop.run()
        #expect(result == 42)
    }
}
