import Checkpoint
import Glibc
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// Checkpoints and restores that fail, at each of their steps, and what comes in the middle of them.
@Suite struct FailuresTests {
    static let refusals: [CheckpointError] = [
        .lossy(reason: "it has an io_uring"), .criu(verb: "dump", code: -1, log: "it cannot"),
    ]
    static let passing: [CheckpointError] = [
        .system(SystemError("write", "pages-1.img", code: ENOSPC)), .interrupted(verb: "dump"),
        .noRoom(directory: "/", needed: 2, free: 1, kept: 0), .overLimit(owner: "pod", needed: 2, used: 0, limit: 1),
        .badImage(path: "core-1.img"), .refusedOption("root"),
    ]
    static let dumpSteps = ["dump stands still", "dump has written"]
    static let restoreSteps = ["restore begins", "restore is complete"]

    private func life(_ annotations: [String: String] = [:]) throws -> StandInLife {
        let life = try StandInLife(on: try StandInNode(), annotations: annotations)
        life.run()
        return life
    }

    // MARK: Checkpoints

    @Test(arguments: dumpSteps, passing) func aFailedCheckpointHarmsNobody(_ step: String, _ error: CheckpointError)
        throws
    {
        let life = try life()
        let pid = try life.outside.initial
        try life.look()
        life.node.failing[step] = error
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try life.outside.initial == pid)
        #expect(try !life.outside.isSeized)
        #expect(try !life.outside.hasImages)
        #expect(try life.container.history.lastError == error.description)
        #expect(try life.container.history.checkpointErrors == 1)
        // It is tried again.
        try life.fallAsleep()
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: dumpSteps, refusals) func whatIsRefusedIsFrozen(_ step: String, _ error: CheckpointError) throws {
        let life = try life()
        try life.look()
        life.node.failing[step] = error
        life.node.settle()
        #expect(try life.container.state == .frozen)
        #expect(try life.outside.standsStill)
        try life.connect()
        #expect(try life.container.state == .running)
        #expect(try !life.outside.standsStill)
        // For an hour CRIU is not asked again.
        try life.look()
        #expect(try life.container.state == .frozen)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: dumpSteps, refusals)
    func whereFreezingIsNotAllowedItRunsOn(_ step: String, _ error: CheckpointError) throws {
        let life = try life(["sleep": "checkpoint"])
        try life.look()
        life.node.failing[step] = error
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try !life.outside.standsStill)
        try life.endAndExpectNothingLeft()
    }

    @Test func aNodeWithoutCRIUIsNotAskedAgain() throws {
        let life = try life()
        try life.look()
        life.node.failing["dump stands still"] = CheckpointError.unusable(reason: "criu is not installed")
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try life.container.lifecycle.reasons.contains(.unable))
        try life.look()
        #expect(life.node.steps.isEmpty)
        try life.endAndExpectNothingLeft()
    }

    /// CRIU that hangs is ended after ten seconds without progress.
    @Test(arguments: dumpSteps) func aCheckpointThatHangsIsEnded(_ step: String) throws {
        let life = try life()
        try life.look()
        if step == "dump has written" { life.node.next("dump stands still") }
        life.node.pass(.seconds(9))
        #expect(try life.container.state == .checkpointing(wanted: false))
        life.node.pass(.seconds(2))
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try life.container.history.lastError == CheckpointError.interrupted(verb: "dump").description)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: dumpSteps, ["connection", "exec", "zeropod wake"])
    func whoeverComesDuringACheckpointWins(_ step: String, _ who: String) throws {
        let life = try life()
        life.exec("x")
        try life.look()
        if step == "dump has written" { life.node.next("dump stands still") }
        switch who {
        case "connection": try life.connect()
        case "exec": life.start("x")
        default: life.wakeNow()
        }
        #expect(try life.container.state == .checkpointing(wanted: true))
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try life.container.history.checkpoints.count == 0)
        #expect(try life.container.history.checkpointErrors == 0, "that is no failure")
        try life.endAndExpectNothingLeft()
    }

    /// Too late to give it up: the processes have ended, so they are restored.
    @Test func whoeverComesAfterTheLastQuestionIsServedByARestore() throws {
        let life = try life()
        try life.look()
        life.node.next("dump stands still")
        life.node.next("dump has written")
        try life.connect()
        life.node.next("dump answers")
        #expect(try life.container.state == .restoring)
        life.finishRestore()
        #expect(try life.container.state == .running)
        life.node.settle()
        try life.endAndExpectNothingLeft()
    }

    /// CRIU ends the processes that it has dumped; the shim may hear of that before CRIU answers, and after.
    @Test(arguments: [true, false]) func theEndThatCRIUMakesIsNoExit(_ isHeardFirst: Bool) throws {
        let life = try life()
        try life.look()
        life.node.next("dump stands still")
        life.node.next("dump has written")
        for step in isHeardFirst ? ["exit", "dump answers"] : ["dump answers", "exit"] { life.node.next(step) }
        #expect(try life.container.state == .asleep)
        try life.endAndExpectNothingLeft()
    }

    /// The processes have ended and nobody can bring them back: that is told.
    @Test(arguments: [true, false]) func aCheckpointThatLosesItsAnswerEndsTheContainer(_ isHeardFirst: Bool) throws {
        let life = try life()
        let exit = life.wait()
        try life.look()
        life.node.next("dump stands still")
        life.node.failing["dump answers"] = CheckpointError.interrupted(verb: "dump")
        life.node.next("dump has written")
        for step in isHeardFirst ? ["exit", "dump answers"] : ["dump answers", "exit"] { life.node.next(step) }
        #expect(try exit.value.exitStatus == 137)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: dumpSteps) func anExitDuringACheckpointIsTheContainersOwn(_ step: String) throws {
        let life = try life()
        let exit = life.wait()
        try life.look()
        if step == "dump has written" { life.node.next("dump stands still") }
        // As the kernel ends one for want of memory, whoever holds it.
        try life.outside.end(life.container.main.pid, .signaled(SIGKILL))
        life.node.next("exit")
        #expect(exit.result == nil, "it may be CRIU's doing")
        life.node.settle()
        #expect(try exit.value.exitStatus == 137)
        try life.endAndExpectNothingLeft()
    }

    // MARK: Restores

    @Test(
        arguments: restoreSteps,
        [
            CheckpointError.notBegun(SystemError("fork", "criu", code: ENOMEM)), .interrupted(verb: "restore"),
            .system(SystemError("open", "/proc", code: EMFILE)),
        ])
    func aRestoreThatFailsBeforeTheProcessesRunIsTriedAgain(_ step: String, _ error: CheckpointError) throws {
        let life = try life()
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
        let life = try life()
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
        let life = try life()
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
        let life = try life()
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
        let life = try life()
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
        let life = try life()
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
        let life = try life()
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
        let life = try life(["wake": "lazy"])
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

    // MARK: Freezing

    @Test func whatCannotBeFrozenRunsOn() throws {
        let life = try life(["sleep": "freeze"])
        life.node.failing["freeze"] = SystemError("freeze", "cgroup", code: ETIMEDOUT)
        try life.look()
        #expect(try life.container.state == .running)
        #expect(try life.container.history.lastError.contains("it cannot be frozen"))
        try life.look()
        #expect(try life.container.state == .frozen)
        try life.endAndExpectNothingLeft()
    }

    @Test func anExitFrozenEndsIt() throws {
        let life = try life(["sleep": "freeze"])
        let exit = life.wait()
        try life.look()
        // Under cgroups v2 the kernel ends what stands still.
        try life.outside.end(life.container.main.pid, .signaled(SIGKILL))
        life.node.settle()
        #expect(try exit.value.exitStatus == 137)
        #expect(try !life.outside.standsStill)
        try life.endAndExpectNothingLeft()
    }

    // MARK: Starting and ending

    /// Its start is told first.
    @Test(arguments: [true, false]) func anInitThatEndsAtOnceIsToldInOrder(_ isHeardFirst: Bool) throws {
        let life = try StandInLife(on: try StandInNode())
        life.create()
        life.node.settle()
        let started = life.start()
        if isHeardFirst {
            // runc has let it go, and is not back yet.
            try life.outside.exit(life.container.main.pid)
            life.node.next("exit")
            #expect(started.result == nil)
        }
        life.node.next("start")
        life.node.settle()
        try life.endAndExpectNothingLeft()
    }

    @Test func whatIsNeverStartedIsDeleted() throws {
        let life = try StandInLife(on: try StandInNode())
        life.create()
        life.node.settle()
        let deletion = life.delete()
        life.node.settle()
        #expect(deletion.succeeded)
        try life.endAndExpectNothingLeft()
    }

    @Test(arguments: ["create", "start", "exec", "pause", "resume", "update", "checkpoint", "kill"])
    func whatRuncRefusesIsTold(_ verb: String) throws {
        struct Refused: Error {}
        let life = try StandInLife(on: try StandInNode())
        func refused<Value>(_ answer: StandInLife.Answer<Value>) -> Bool {
            life.node.failing[verb] = Refused()
            life.node.settle()
            life.node.failing = [:]
            return answer.refusal == .other
        }
        if verb == "create" { #expect(refused(life.create())) }
        life.create()
        life.node.settle()
        if verb == "start" { #expect(refused(life.start())) }
        life.start()
        life.node.settle()
        life.exec("x")
        switch verb {
        case "exec": #expect(refused(life.start("x")))
        case "pause": #expect(refused(life.pause()))
        case "resume":
            life.pause()
            life.node.settle()
            #expect(refused(life.resume()))
        case "update": #expect(refused(life.update()))
        case "checkpoint": #expect(refused(life.export()))
        case "kill": #expect(refused(life.kill(SIGTERM)))
        default: break
        }
        try life.endAndExpectNothingLeft()
    }

    /// What runc says of an init that ends while it is on its way is another word for that.
    @Test(arguments: [SIGKILL, SIGTERM]) func aKillThatComesTooLateIsNoFailureOfRunc(_ signal: Int32) throws {
        let life = try life()
        let kill = life.kill(signal)
        try life.outside.exit(life.container.main.pid)
        life.node.next("kill")
        #expect(kill.refusal == .notFound)
        life.node.settle()
        try life.endAndExpectNothingLeft()
    }
}
