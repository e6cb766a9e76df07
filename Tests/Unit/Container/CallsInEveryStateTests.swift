import ContainerdAPI
import Glibc
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// docs/calls.md, cell by cell: the calls of the Task service, by what the container is doing.
@Suite struct CallsInEveryStateTests {
    enum Doing: CaseIterable, Sendable {
        case awake
        /// CRIU begins; and it has written everything.
        case beginningCheckpoint, endingCheckpoint
        case asleep
        /// CRIU begins; and the processes are about to run.
        case beginningRestore, endingRestore
        case paused, pausedAsleep
        case frozen, pausedFrozen

        var isCheckpointing: Bool { [.beginningCheckpoint, .endingCheckpoint].contains(self) }
        var isRestoring: Bool { [.beginningRestore, .endingRestore].contains(self) }
        var isPaused: Bool { [.paused, .pausedAsleep, .pausedFrozen].contains(self) }
        /// It has no processes that run, and nothing is about to change that.
        var isAtRest: Bool { [.asleep, .pausedAsleep, .frozen, .pausedFrozen].contains(self) }

        static let checkpointing = allCases.filter(\.isCheckpointing)
        static let restoring = allCases.filter(\.isRestoring)
        static let notPaused = allCases.filter { !$0.isPaused }
    }

    /// A container that does this, and afterwards its end, after which nothing may be left.
    private func with(_ doing: Doing, _ body: (StandInLife) throws -> Void) throws {
        let life = try StandInLife(on: try StandInNode())
        let node = life.node
        life.stdin = "\(node.directory)/stdin"
        try #require(mkfifo(life.stdin, 0o600) == 0)
        switch doing {
        case .awake: life.run()
        case .beginningCheckpoint, .endingCheckpoint:
            life.run()
            try life.look()
            if doing == .endingCheckpoint { node.next("dump stands still") }
        case .asleep: try life.runAndSleep()
        case .beginningRestore, .endingRestore:
            try life.runAndSleep()
            try life.connect()
            node.next("restore begins")
            if doing == .endingRestore { node.next("restore is complete") }
        case .paused:
            life.run()
            life.pause()
            node.settle()
        case .pausedAsleep:
            try life.runAndSleep()
            life.pause()
        case .frozen: try life.runAndFreeze()
        case .pausedFrozen:
            try life.runAndFreeze()
            life.pause()
        }
        try body(life)
        try life.endAndExpectNothingLeft()
    }

    // MARK: Questions, and what is refused

    @Test(arguments: Doing.allCases) func askingChangesNothing(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            let before = try (life.container.lifecycle, life.node.steps.map(\.what))
            let pid = UInt32(try life.container.main.pid)
            let state = try life.state().value
            #expect(state.status == (doing.isPaused ? .paused : .running))
            #expect(state.pid == pid && pid > 0)
            #expect(try life.pids().value.processes.map(\.pid) == [pid])
            #expect(try life.connected().value.taskPid == pid)
            #expect(try life.stats().value.stats != nil)
            #expect(life.resizePty().succeeded)
            #expect(life.closeIO().succeeded)
            #expect(life.create().refusal == .alreadyExists)
            #expect(life.start().refusal == .failedPrecondition)
            #expect(life.delete().refusal == .failedPrecondition)
            #expect(life.kill(SIGTERM, "nobody").refusal == .notFound)
            #expect(life.exec("added").refusal == (doing.isPaused ? .failedPrecondition : nil))
            if !doing.isPaused { #expect(life.delete("added").succeeded) }
            life.shutdown()
            #expect(!life.node.isShutDown)
            let after = try (life.container.lifecycle, life.node.steps.map(\.what))
            #expect(before.0 == after.0 && before.1 == after.1)
        }
    }

    @Test(arguments: Doing.allCases) func waitIsAnsweredByTheEndAlone(_ doing: Doing) throws {
        var exit: StandInLife.Answer<WaitResponse>?
        try with(doing) { (life: StandInLife) throws in
            exit = life.wait()
            life.node.settle()
            #expect(exit?.result == nil)
        }
        #expect(try exit?.value.exitStatus == 137)
    }

    /// What was written comes before the end, whenever the processes read it.
    @Test(arguments: Doing.allCases) func stdinThatIsClosedEnds(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            let writer = try Descriptor.open(life.stdin, O_WRONLY)
            try writer.writeAll(Array("last words".utf8))
            _ = consume writer
            #expect(life.closeIO().succeeded)
            let stdin = try #require(try life.outside.stdin)
            try stdin.descriptor.setNonBlocking()
            var read: [UInt8] = []
            // Descriptors are ready at once, so this ends; else it would be a failure after so many rounds.
            for _ in 0..<100 {
                guard let bytes = try stdin.descriptor.read(atMost: 100) else {
                    life.node.onLoop {}
                    continue
                }
                if bytes.isEmpty { break }
                read += bytes
            }
            #expect(String(decoding: read, as: UTF8.self) == "last words")
            #expect(try stdin.descriptor.read(atMost: 1) == [])
        }
    }

    // MARK: Exec

    @Test(arguments: Doing.notPaused) func execRuns(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            life.exec("x")
            let sleeps = try life.container.history.checkpoints.count
            let started = life.start("x")
            #expect(started.result == nil)
            life.node.settle()
            #expect(try started.value.pid > 0)
            #expect(try life.container.state == .running)
            if doing.isCheckpointing { #expect(try life.container.history.checkpoints.count == sleeps) }
            // As long as it runs the container does not sleep.
            try life.look()
            #expect(try life.container.state == .running)
        }
    }

    @Test(arguments: [Doing.paused, .pausedAsleep, .pausedFrozen]) func pausedNothingIsExecuted(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            #expect(life.exec("x").refusal == .failedPrecondition)
            #expect(life.start("x").refusal == .failedPrecondition)
        }
        // One that was added before.
        let life = try StandInLife(on: try StandInNode())
        life.run()
        life.exec("x")
        life.pause()
        life.node.settle()
        #expect(life.start("x").refusal == .failedPrecondition)
        try life.endAndExpectNothingLeft()
    }

    // MARK: Signals

    @Test(arguments: Doing.allCases, [false, true]) func sigkillEndsIt(_ doing: Doing, _ all: Bool) throws {
        try with(doing) { (life: StandInLife) throws in
            let wakes = try life.container.history.restores.count
            let exit = life.wait()
            let kill = life.kill(SIGKILL, all: all)
            // Nothing is restored for it, and a restore is not waited for.
            let isAtOnce = [.asleep, .pausedAsleep].contains(doing) || doing.isRestoring
            #expect(exit.succeeded == isAtOnce)
            life.node.settle()
            #expect(kill.succeeded)
            #expect(try exit.value.exitStatus == 137)
            if isAtOnce { #expect(try life.container.history.restores.count == wakes) }
            #expect(life.kill(SIGKILL).refusal == .notFound)
        }
    }

    @Test(arguments: Doing.allCases, [false, true]) func aSignalThatIsHeededHasItsEffect(_ doing: Doing, _ all: Bool)
        throws
    {
        try with(doing) { (life: StandInLife) throws in
            let exit = life.wait()
            let kill = life.kill(SIGTERM, all: all)
            life.node.settle()
            #expect(kill.succeeded)
            if doing.isPaused {
                #expect(exit.result == nil, "it waits for the end of the pause")
                #expect(try life.container.state.isAsleep == doing.isAtRest)
                life.resume()
                life.node.settle()
            }
            #expect(try exit.value.exitStatus == 7)
            #expect(life.kill(SIGTERM).refusal == .notFound)
        }
    }

    @Test(arguments: Doing.allCases) func aSignalThatIsNotHeededIsDropped(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            let kill = life.kill(SIGUSR1)
            // Asleep it is known what the process would do.
            let isAtOnce = [.asleep, .pausedAsleep, .pausedFrozen].contains(doing)
            #expect(kill.succeeded == isAtOnce)
            life.node.settle()
            #expect(kill.succeeded)
            #expect(try life.container.state.isAsleep == isAtOnce)
        }
    }

    @Test func aSignalForAllWakesThoughTheInitWouldNotHeedIt() throws {
        try with(.asleep) { (life: StandInLife) throws in
            life.kill(SIGUSR1, all: true)
            life.node.settle()
            #expect(try life.container.state == .running)
        }
    }

    // MARK: Pause, resume, update

    @Test(arguments: Doing.notPaused) func pauseWakesNobodyAndResumeLetsItGoOn(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            let pause = life.pause()
            #expect(pause.succeeded == doing.isAtRest)
            life.node.settle()
            #expect(pause.succeeded)
            #expect(try life.state().value.status == .paused)
            #expect(try life.container.state.isAsleep == (doing.isAtRest || doing.isCheckpointing))
            #expect(life.pause().refusalWhenSettled(life.node) == .failedPrecondition)
            let resume = life.resume()
            life.node.settle()
            #expect(resume.succeeded)
            #expect(try life.state().value.status == .running)
            #expect(try life.container.state.isAsleep == (doing.isAtRest || doing.isCheckpointing), "nobody has come")
        }
    }

    @Test(arguments: Doing.notPaused) func whatIsNotPausedIsNotResumed(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            #expect(life.resume().refusalWhenSettled(life.node) == .failedPrecondition)
            #expect(try life.container.state.isAsleep == (doing.isAtRest || doing.isCheckpointing))
        }
    }

    @Test(arguments: [Doing.pausedAsleep, .pausedFrozen]) func whoComesWaitsUntilResume(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            try life.connect()
            life.node.settle()
            #expect(try life.container.state.isAsleep)
            life.resume()
            life.node.settle()
            #expect(try life.container.state == .running)
        }
    }

    @Test(arguments: Doing.allCases) func updateWakesNobody(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            let update = life.update()
            life.node.settle()
            #expect(update.succeeded)
            #expect(try life.container.state.isAsleep == (doing.isAtRest || doing.isCheckpointing))
        }
    }

    @Test func asleepALimitBelowTheImagesIsRefused() throws {
        try with(.asleep) { (life: StandInLife) throws in
            #expect(life.update(#"{"memory":{"limit":1}}"#).refusal == .failedPrecondition)
            let enough = life.update(#"{"memory":{"limit":1048576}}"#)
            life.node.settle()
            #expect(enough.succeeded)
        }
    }

    // MARK: Checkpoint

    @Test(arguments: Doing.allCases) func anImageIsMadeOfWhatRuns(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            let export = life.export()
            life.node.settle()
            #expect(export.succeeded)
            #expect(try life.container.state == .running)
            #expect(try life.outside.standsStill == doing.isPaused, "paused again")
        }
    }

    // MARK: Ended

    @Test(arguments: Doing.allCases) func whatHasEndedIsOver(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            life.exec("never started")
            life.kill(SIGKILL)
            life.node.settle()
            let state = try life.state().value
            #expect(state.status == .stopped && state.exitStatus == 137 && state.exitedAt != nil)
            #expect(try life.pids().value.processes == [])
            #expect(life.stats().succeeded && life.connected().succeeded)
            #expect(try life.wait().value.exitStatus == 137)
            #expect(life.create().refusal == .alreadyExists)
            #expect(life.start().refusal == .failedPrecondition)
            #expect(life.exec("x").refusal == .failedPrecondition)
            #expect(life.start("never started").refusal == .failedPrecondition)
            #expect(life.kill(SIGTERM).refusal == .notFound)
            for answer in [life.pause(), life.resume(), life.update(), life.export()] {
                #expect(answer.refusal == .failedPrecondition)
            }
            life.shutdown()
            #expect(!life.node.isShutDown)
            life.node.endNetworks()
            let deletion = life.delete()
            life.node.settle()
            #expect(try deletion.value.exitStatus == 137)
            life.shutdown()
            #expect(life.node.isShutDown)
        }
    }

    /// It uses the container's control groups still.
    @Test(arguments: Doing.restoring) func aDeletionWaitsForTheRestoreThatIsEnded(_ doing: Doing) throws {
        try with(doing) { (life: StandInLife) throws in
            life.kill(SIGKILL)
            life.node.endNetworks()
            let deletion = life.delete()
            #expect(deletion.result == nil)
            #expect(!life.node.steps.contains { $0.what == "delete" })
            life.node.settle()
            #expect(deletion.succeeded)
        }
    }
}

extension StandInLife.Answer {
    func refusalWhenSettled(_ node: StandInNode) -> ShimError.Kind? {
        node.settle()
        return refusal
    }
}
