import Checkpoint
import Glibc
import SplitMix
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// Thousands of lives, with calls, connections, failures and ends in any order, against what must hold in all of them
/// (`StandInContainer.check`, `EventOrder`, `StandInLife.leftovers`). The same seed gives the same lives.
@Suite struct RandomLivesTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func noOrderBreaksTheRules(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var (sleeps, freezes, wakes) = (0 as UInt64, 0 as UInt64, 0 as UInt64)
        for number in 0..<100 {
            let annotations = ["sleep": ["checkpoint", "freeze", "checkpoint, freeze"], "wake": ["lazy", "eager"]]
                .mapValues { $0.randomElement(using: &random) ?? "" }
            let life = try StandInLife(on: try StandInNode(), annotations: annotations)
            var path: [String] = []
            life.run()
            for _ in 0..<Int.random(in: 10...80, using: &random) where life.node.complaints.isEmpty {
                guard let container = try? life.container else { break }
                path.append(act(on: life, container, &random))
            }
            if let history = try? life.container.history {
                sleeps += history.checkpoints.count
                freezes += history.freezes
                wakes += history.restores.count
            }
            let complaints = life.node.complaints + life.waitingForNothing() + life.leftovers() + life.node.complaints
            if !complaints.isEmpty {
                Issue.record("\(complaints), in life \(number) of seed \(seed), after \(path) with \(annotations)")
                return
            }
        }
        // Enough to know that the lives were some.
        #expect(sleeps > 15)
        #expect(wakes > 8)
        #expect(freezes > 15)
    }

    /// Something happens; gives what.
    private func act(on life: StandInLife, _ container: Container, _ random: inout SplitMix) -> String {
        let node = life.node
        func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
        if !node.steps.isEmpty, !chance(3) {
            let index = Int.random(in: 0..<node.steps.count, using: &random)
            let what = node.steps[index].what
            if chance(8) { node.failing[what] = failure(of: what, &random) }
            node.happen(index)
            return what
        }
        // Else it would hardly ever sleep.
        let often: [Action] = [.look, .look, .look, .endExec, .endExec, .connect]
        let actions = (Action.allCases + often).filter { $0.isPossible(for: container) && (!$0.isRare || chance(12)) }
        let action = actions.randomElement(using: &random) ?? .pass
        action.perform(on: life, container)
        return action.rawValue
    }

    private func failure(of step: String, _ random: inout SplitMix) -> any Error {
        let errors: [CheckpointError] = [
            .lossy(reason: "x"), .system(SystemError("write", "x", code: ENOSPC)), .interrupted(verb: "x"), .givenUp,
            .criu(verb: "x", code: -1, log: ""), .notBegun(SystemError("fork", "x", code: ENOMEM)),
        ]
        return errors.randomElement(using: &random) ?? .givenUp
    }

    enum Action: String, CaseIterable {
        case connect, look, pass, exec, startExec, endExec, deleteExec, pause, resume, update, export, sleepNow, wakeNow
        case drop, dropAll, ask, failToFreeze
        case terminate, kill, killAll, exit, delete, start

        /// It would come too soon.
        var isRare: Bool { [.terminate, .kill, .killAll, .exit, .delete].contains(self) }

        func isPossible(for container: Container) -> Bool {
            switch self {
            case .connect: ![.starting, .running, .thawing, .exited].contains(container.state)
            case .look: container.state == .running
            default: true
            }
        }

        func perform(on life: StandInLife, _ container: Container) {
            let node = life.node
            switch self {
            case .connect: node.onLoop(container.connectionHeld)
            case .look: try? life.look()
            case .pass: if let next = node.loop.nextTimer { node.pass(next.since(node.loop.now)) }
            case .exec: life.exec("x")
            case .startExec: life.start("x")
            case .endExec:
                if let pid = container.execs["x"]?.pid { node.onLoop { node.containers[life.id]?.exit(pid) } }
            case .deleteExec: life.delete("x")
            case .pause: life.pause()
            case .resume: life.resume()
            case .update: life.update()
            case .export: life.export()
            case .sleepNow: life.sleepNow()
            case .wakeNow: life.wakeNow()
            case .drop: life.kill(SIGUSR1)
            case .dropAll: life.kill(SIGUSR1, all: true)
            case .ask:
                for answer in [life.create().refusal, life.start().refusal] where answer == nil {
                    node.complain("taken twice")
                }
            case .failToFreeze: node.failing["freeze"] = SystemError("freeze", "x", code: ETIMEDOUT)
            case .terminate: life.kill(SIGTERM)
            case .kill: life.kill(SIGKILL)
            case .killAll: life.kill(SIGKILL, all: true)
            case .exit:
                let pid = container.main.pid
                node.onLoop { node.containers[life.id]?.exit(pid) }
            case .delete: life.delete()
            case .start: life.start()
            }
        }
    }
}
