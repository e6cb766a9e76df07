import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// Work in the start puts the first sleep off, as long as it goes on.
@Suite struct StartUnderWayTests {
    private static let reason =
        "its processes are at work, and it has not slept yet: it may when they are done, or have run for 600 s"

    /// A start that has been looked at once, early, as the shim does.
    private func start(_ node: StandInNode) throws -> StandInLife {
        let life = try StandInLife(on: node)
        life.run()
        try life.outside.compute(milliseconds: 200)
        try life.look(after: .seconds(1))
        return life
    }

    @Test func itSleepsWhenTheWorkIsDone() throws {
        let node = try StandInNode()
        let life = try start(node)
        for _ in 0..<3 {
            // Of the minute that it is to be idle.
            try life.outside.compute(milliseconds: 1300)
            try life.look()
            #expect(try life.container.state == .running)
            #expect(try life.container.reasonsToStayAwake == [Self.reason])
        }
        try life.outside.compute(milliseconds: 1100)
        try life.fallAsleep()
        #expect(try life.container.reasonsToStayAwake == [])
        // It has started: what it computes now is no start.
        let wake = life.wakeNow()
        life.finishRestore()
        node.settle()
        #expect(wake.succeeded)
        try life.outside.compute(milliseconds: 50_000)
        try life.fallAsleep()
        try life.endAndExpectNothingLeft()
    }

    /// The first look comes late, when the idle time has passed already.
    @Test func workBeforeTheFirstLookCounts() throws {
        let node = try StandInNode()
        let life = try StandInLife(on: node)
        life.run()
        try life.outside.compute(milliseconds: 1300)
        try life.look()
        #expect(try life.container.state == .running)
        #expect(try life.container.reasonsToStayAwake == [Self.reason])
        try life.fallAsleep()
        try life.endAndExpectNothingLeft()
    }

    @Test func itSleepsThoughItAlwaysComputes() throws {
        let node = try StandInNode()
        let life = try start(node)
        for _ in 1...9 {
            try life.outside.compute(milliseconds: 60_000)
            try life.look()
            #expect(try life.container.state == .running)
        }
        try life.outside.compute(milliseconds: 60_000)
        try life.fallAsleep()
        try life.endAndExpectNothingLeft()
    }

    /// Who asks for it knows better.
    @Test func aPersonMayPutItToSleep() throws {
        let node = try StandInNode()
        let life = try start(node)
        try life.outside.compute(milliseconds: 60_000)
        try life.look()
        let sleep = life.sleepNow()
        for step in ["dump stands still", "dump has written", "dump answers"] { node.next(step) }
        node.settle()
        #expect(sleep.succeeded)
        try life.endAndExpectNothingLeft()
    }

    @Test func aFiftiethIsWork() {
        func isWork(_ milliseconds: UInt64, after span: Instant.Span) -> Bool {
            var record = WorkRecord()
            let begin = Instant(nanoseconds: 0)
            record.begin(at: begin, used: .milliseconds(100))
            return record.isAtWork(at: begin + span, used: .milliseconds(100 + milliseconds))
        }
        #expect(!isWork(1200, after: .seconds(60)) && isWork(1201, after: .seconds(60)))
        // What a look takes is no work.
        #expect(!isWork(10, after: .milliseconds(1)) && isWork(11, after: .milliseconds(1)))
        var record = WorkRecord()
        func isAtWork(at milliseconds: UInt64, used: Instant.Span?) -> Bool {
            record.isAtWork(at: Instant(nanoseconds: milliseconds * 1_000_000), used: used)
        }
        #expect(!isAtWork(at: 0, used: .seconds(100)), "nobody knows since when")
        // A look that follows at once sees the same.
        #expect(isAtWork(at: 499, used: .milliseconds(100_011)))
        #expect(isAtWork(at: 500, used: .milliseconds(100_011)))
        #expect(!isAtWork(at: 501, used: .milliseconds(100_011)))
        #expect(!isAtWork(at: 2000, used: nil))
        #expect(!isAtWork(at: 3000, used: .seconds(200)))
    }
}
