import Linux
import StatusAPI
import Testing

@testable import NodeDaemon

/// With a clock of the test's own.
@Suite struct EventBacklogTests {
    private struct Trial {
        var now = Instant(nanoseconds: 1_000_000_000)
        var backlog = EventBacklog(now: Instant(nanoseconds: 1_000_000_000))
        var told: [String] = []
        var withheld = 0

        mutating func add(_ id: String, _ numbers: ClosedRange<UInt64>, _ kind: ContainerChange.Kind = .asleep) {
            let report = ContainerReport { $0.id = id }
            for number in numbers {
                backlog.add(
                    .init(ContainerChange(kind: kind, number: number), of: report, podUID: "", at: .now), now: now)
            }
        }

        /// Tells what may be told now.
        mutating func tell() -> Instant.Span? {
            while true {
                switch backlog.next(now: now) {
                case .nothing: return nil
                case .wait(let span): return span
                case .tell(let entry):
                    told.append("\(entry.report.id)\(entry.change.number)")
                    withheld += entry.withheld
                }
            }
        }

        /// Until nothing is left.
        mutating func settle() {
            while let span = tell() { now = now + span }
        }
    }

    @Test func whileTheServerIsThereEachChangeIsTold() {
        var trial = Trial()
        for number in 1...20 as ClosedRange<UInt64> {
            trial.add("a", number...number)
            #expect(trial.tell() == nil)
        }
        #expect(trial.told.count == 20 && trial.withheld == 0)
    }

    /// An hour of changes: the last few of each container, the last one among them, and none twice.
    @Test func afterAnHourWithoutAServerTheLastStateIsTold() {
        var trial = Trial()
        for minute in 0..<60 as Range<UInt64> {
            trial.now = trial.now + .seconds(60)
            for id in ["a", "b", "c"] { trial.add(id, (minute * 4 + 1)...(minute * 4 + 4)) }
        }
        #expect(trial.backlog.count == 30)
        trial.settle()
        #expect(trial.told.count == 30 && Set(trial.told).count == 30)
        #expect(Set(trial.told).isSuperset(of: ["a240", "b240", "c240"]))
        #expect(trial.withheld == 3 * 230)
    }

    @Test func aWholeNodeComesBackInStepsAndWithinBounds() {
        var trial = Trial()
        for id in 0..<300 { trial.add("c\(id).", 1...10) }
        #expect(trial.backlog.count == 1000)
        _ = trial.tell()
        #expect(trial.told.count == 50)
        let start = trial.now
        trial.settle()
        #expect(trial.told.count == 1000)
        #expect(trial.now.since(start) >= .seconds(180))
        // Nobody's last state is given up for somebody else's past.
        #expect(Set(trial.told.filter { $0.hasSuffix(".10") }).count == 300)
    }

    @Test func oneThatNeverRestsIsToldOfByItsLastChange() {
        var trial = Trial()
        for number in 1...100 as ClosedRange<UInt64> {
            trial.add("a", number...number)
            _ = trial.tell()
        }
        #expect(trial.told.count == 25)
        let wait = trial.tell()
        #expect(wait.map { $0 > .seconds(19) && $0 < .seconds(21) } == true)
        trial.settle()
        #expect(trial.told.count == 26 && trial.told.last == "a100")
        #expect(trial.withheld == 74)
    }

    /// Why a container has ended is told, though it is gone.
    @Test func whatHasGoneIsToldAllTheSame() {
        var trial = Trial()
        trial.add("a", 1...1, .restoreFailed)
        trial.backlog.end("a")
        trial.settle()
        #expect(trial.told == ["a1"])
        #expect(trial.backlog.count == 0)
    }
}
