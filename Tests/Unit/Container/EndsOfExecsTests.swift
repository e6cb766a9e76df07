import ContainerdAPI
import Glibc
import Testing

@testable import Shim

/// containerd hears of a container's end after those of its execs.
@Suite struct EndsOfExecsTests {
    private func life() throws -> StandInLife {
        let life = try StandInLife(on: try StandInNode())
        life.run()
        life.exec("x")
        life.start("x")
        return life
    }

    /// As containerd hears it: `start`, `exit one`, …
    private func told(_ life: StandInLife) -> [String] {
        life.node.events.compactMap { event in
            switch event {
            case .execStarted: "exec started"
            case .exited(_, let process, _, _): "\(process) ended"
            default: nil
            }
        }
    }

    @Test(arguments: [true, false]) func theyAreToldFirst(_ isInitHeardFirst: Bool) throws {
        let life = try life()
        life.node.settle()
        try life.outside.exit(life.container.main.pid)
        // The kernel ends both; word of either comes first.
        #expect(life.node.steps.map(\.what) == ["exit", "exit"])
        life.node.happen(isInitHeardFirst ? 0 : 1)
        life.node.settle()
        #expect(told(life) == ["exec started", "x ended", "one ended"])
        try life.endAndExpectNothingLeft()
    }

    /// runc has started it, and is not back when the container ends.
    @Test func alsoOfWhatIsBeingStarted() throws {
        let life = try life()
        life.node.next("exec")
        try life.outside.exit(life.container.main.pid)
        for _ in 0..<2 { life.node.next("exit") }
        #expect(told(life) == [])
        life.node.settle()
        #expect(told(life) == ["exec started", "x ended", "one ended"])
        try life.endAndExpectNothingLeft()
    }

    @Test func whatIsBeingStartedIsNotDeleted() throws {
        let life = try life()
        #expect(life.delete("x").refusal == .failedPrecondition)
        life.node.settle()
        #expect(try life.state("x").value.status == .running)
        try life.endAndExpectNothingLeft()
    }
}
