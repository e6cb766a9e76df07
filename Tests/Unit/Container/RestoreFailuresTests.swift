import Checkpoint
import Glibc
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// Restores that fail, at each of their steps, and what comes in the middle of them; and memory that is lost after them.
@Suite struct RestoreFailuresTests {
    static let restoreSteps = ["restore begins", "restore is complete"]

    @Test(
        arguments: restoreSteps,
        [
            CheckpointError.notBegun(SystemError("fork", "criu", code: ENOMEM)), .interrupted(verb: "restore"),
            .system(SystemError("open", "/proc", code: EMFILE)),
        ])
    func aRestoreThatFailsBeforeTheProcessesRunIsTriedAgain(_ step: String, _ error: CheckpointError) throws {
        let life = try StandInLife.running()
        try life.fallAsleep()
        try life.connect()
        for attempt in 1...9 {
            life.node.failing[step] = error
            life.node.settle()
            #expect(try life.container.state == .restoring, "attempt \(attempt)")
            #expect(try life.outside.hasImages)
            // At most so long: 0.3 s, and then twice the pause before.
            life.node.pass(.milliseconds(min(300 << UInt64(attempt - 1), 10_000)))
            #expect(life.node.steps.map(\.what) == ["restore begins"])
        }
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try life.container.history.restoreErrors == 0)
        try life.endAndExpectNothingLeft()
    }

    /// So often, and with pauses that are so long together.
    @Test(arguments: [
        (CheckpointError.notBegun(SystemError("fork", "criu", code: ENOMEM)), 10, 49.2),
        (.criu(verb: "restore", code: -1, log: "it cannot"), 4, 2.1), (.badImage(path: "core-1.img"), 1, 0),
    ])
    func aRestoreThatFailsForGoodEndsTheContainer(_ error: CheckpointError, _ attempts: Int, _ seconds: Double) throws {
        let life = try StandInLife.running()
        let exit = life.wait()
        try life.fallAsleep()
        life.exec("x")
        let began = life.node.loop.now
        let exec = life.start("x")
        for attempt in 1...attempts {
            #expect(exit.result == nil, "attempt \(attempt)")
            life.node.failing["restore begins"] = error
            life.node.settle()
            if let next = life.node.loop.nextTimer { life.node.pass(next.since(life.node.loop.now)) }
        }
        #expect(try exit.value.exitStatus == 255)
        #expect(exec.refusal == .failedPrecondition)
        #expect(abs(life.node.loop.now.since(began).milliseconds / 1000 - seconds) < 0.3)
        #expect(try life.container.history.restoreErrors == 1)
        try expectImagesAreKept(life)
        try life.endAndExpectNothingLeft()
    }

    private func expectImagesAreKept(_ life: StandInLife) throws {
        #expect(Files.exists("\(life.node.directory)/images/failed/one/images/pages-1.img"))
    }

    /// What has run, if only for a moment, must not run twice.
    @Test func aRestoreThatFailsWhenTheProcessesMayHaveRunIsNotTriedAgain() throws {
        let life = try StandInLife.running()
        let exit = life.wait()
        try life.fallAsleep()
        try life.connect()
        life.node.failing["restore answers"] = CheckpointError.criu(verb: "restore", code: -1, log: "")
        life.node.settle()
        #expect(try exit.value.exitStatus == 255)
        try expectImagesAreKept(life)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: restoreSteps) func aRestoreThatHangsIsEndedAndTriedAgain(_ step: String) throws {
        let life = try StandInLife.running()
        try life.fallAsleep()
        try life.connect()
        if step == "restore is complete" { life.node.next("restore begins") }
        life.node.pass(.seconds(11))
        life.node.settle()
        #expect(try life.container.state == .restoring)
        life.node.pass(.seconds(1))
        life.node.settle()
        #expect(try life.container.state == .running)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: ["before", "during", "pause"]) func sigkillInsteadOfAnotherAttempt(_ moment: String) throws {
        let life = try StandInLife.running()
        try life.fallAsleep()
        try life.connect()
        life.node.failing["restore begins"] = CheckpointError.interrupted(verb: "restore")
        life.node.settle()
        if moment != "pause" { life.node.pass(.milliseconds(300)) }
        if moment == "during" { life.node.next("restore begins") }
        #expect(life.kill(SIGKILL).succeeded)
        life.node.settle()
        #expect(try life.outside.initial == nil)
        #expect(try !life.outside.hasImages)
        try life.endAndExpectNothingLeft()
    }

    /// The restored init ends before, or after, the shim hears that it is there.
    @Test(arguments: [true, false]) func aRestoredInitThatEndsAtOnceIsHeardOf(_ isHeardFirst: Bool) throws {
        let life = try StandInLife.running()
        let exit = life.wait()
        try life.fallAsleep()
        try life.connect()
        life.node.next("restore begins")
        life.node.next("restore is complete")
        try life.outside.exit(#require(try life.outside.initial))
        for step in isHeardFirst ? ["exit", "restore answers"] : ["restore answers", "exit"] { life.node.next(step) }
        #expect(try exit.value.exitStatus == 3)
        try life.endAndExpectNothingLeft()
    }

    /// All who come while it wakes are served by one restore.
    @Test func oneRestoreServesAll() throws {
        let life = try StandInLife.running()
        try life.fallAsleep()
        life.exec("x")
        try life.connect()
        try life.connect()
        let answers = [life.update(), life.kill(SIGUSR1)]
        let started = life.start("x")
        life.node.settle()
        #expect(answers.allSatisfy(\.succeeded) && started.succeeded)
        #expect(try life.container.history.restores.count == 1)
        try life.endAndExpectNothingLeft()
    }

    @Test func oneAtATimeWakesWhereTheNodeAllowsOne() throws {
        let node = try StandInNode(wakesAtOnce: 1)
        let lives = try ["one", "two"].map { try StandInLife(on: node, $0) }
        for life in lives { try life.runAndSleep() }
        for life in lives { try life.connect() }
        #expect(try lives.map { try $0.container.waitsForItsTurn } == [false, true])
        #expect(node.steps.map(\.what) == ["restore begins"])
        lives[0].finishRestore()
        // The gate tells by inotify, which the loop hears of when it looks.
        while try lives[1].container.waitsForItsTurn { node.onLoop {} }
        lives[1].finishRestore()
        for life in lives {
            #expect(try life.container.state == .running)
            try life.endAndExpectNothingLeft()
        }
    }

    @Test func sigkillEndsWhatWaitsForItsTurn() throws {
        let node = try StandInNode(wakesAtOnce: 1)
        let lives = try ["one", "two"].map { try StandInLife(on: node, $0) }
        for life in lives { try life.runAndSleep() }
        for life in lives { try life.connect() }
        #expect(lives[1].kill(SIGKILL).succeeded)
        #expect(try lives[1].container.state == .exited)
        lives[0].finishRestore()
        for life in lives.reversed() { try life.endAndExpectNothingLeft() }
    }

    // MARK: Memory that comes later

    private func withComingMemory(_ body: (StandInLife) throws -> Void) throws {
        let life = try StandInLife.running(["wake": "lazy"])
        try life.fallAsleep()
        try life.connect()
        life.finishRestore()
        #expect(try life.container.state == .running)
        try body(life)
        try life.endAndExpectNothingLeft()
    }

    @Test(.enabled(if: PageServer.isPossible)) func itStaysAwakeUntilAllMemoryHasCome() throws {
        try withComingMemory { (life: StandInLife) throws in
            try life.look()
            #expect(try life.container.state == .running)
            let export = life.export()
            #expect(!life.node.steps.contains { $0.what == "checkpoint" })
            life.node.next("memory has come")
            life.node.settle()
            #expect(export.succeeded)
            #expect(try !life.outside.hasImages)
            try life.fallAsleep()
        }
    }

    @Test(.enabled(if: PageServer.isPossible)) func whatLosesItsMemoryEnds() throws {
        try withComingMemory { (life: StandInLife) throws in
            let (exit, export) = (life.wait(), life.export())
            struct Killed: Error {}
            life.node.failing["memory has come"] = Killed()
            life.node.settle()
            #expect(try exit.value.exitStatus == 255)
            #expect(export.refusal == .failedPrecondition)
            try expectImagesAreKept(life)
        }
    }

    @Test(.enabled(if: PageServer.isPossible)) func whatEndsBeforeItsMemoryHasComeTakesTheServerAlong() throws {
        try withComingMemory { (life: StandInLife) throws in
            let exit = life.wait()
            try life.outside.exit(life.container.main.pid)
            life.node.next("exit")
            #expect(try exit.value.exitStatus == 3)
            #expect(life.node.steps.contains { $0.what == "page server is ended" })
        }
    }
}
