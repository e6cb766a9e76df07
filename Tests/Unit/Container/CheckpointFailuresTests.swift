import Checkpoint
import Glibc
import Testing

@testable import Lifecycle
@testable import Linux
@testable import Shim

/// Checkpoints that fail, at each of their steps, and what comes in the middle of them; and containers that cannot be frozen.
@Suite struct CheckpointFailuresTests {
    static let refusals: [CheckpointError] = [
        .lossy(reason: "it has an io_uring"), .criu(verb: "dump", code: -1, log: "it cannot"),
    ]
    static let passing: [CheckpointError] = [
        .system(SystemError("write", "pages-1.img", code: ENOSPC)), .interrupted(verb: "dump"),
        .noRoom(directory: "/", needed: 2, free: 1, kept: 0), .overLimit(owner: "pod", needed: 2, used: 0, limit: 1),
        .badImage(path: "core-1.img"), .refusedOption("root"),
    ]
    static let dumpSteps = ["dump stands still", "dump has written"]

    @Test(arguments: dumpSteps, passing) func aFailedCheckpointHarmsNobody(_ step: String, _ error: CheckpointError)
        throws
    {
        let life = try StandInLife.running()
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
        let life = try StandInLife.running()
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
        let life = try StandInLife.running(["sleep": "checkpoint"])
        try life.look()
        life.node.failing[step] = error
        life.node.settle()
        #expect(try life.container.state == .running)
        #expect(try !life.outside.standsStill)
        try life.endAndExpectNothingLeft()
    }

    @Test func aNodeWithoutCRIUIsNotAskedAgain() throws {
        let life = try StandInLife.running()
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
        let life = try StandInLife.running()
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
        let life = try StandInLife.running()
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
        let life = try StandInLife.running()
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
        let life = try StandInLife.running()
        try life.look()
        life.node.next("dump stands still")
        life.node.next("dump has written")
        for step in isHeardFirst ? ["exit", "dump answers"] : ["dump answers", "exit"] { life.node.next(step) }
        #expect(try life.container.state == .asleep)
        try life.endAndExpectNothingLeft()
    }

    /// The processes have ended and nobody can bring them back: that is told.
    @Test(arguments: [true, false]) func aCheckpointThatLosesItsAnswerEndsTheContainer(_ isHeardFirst: Bool) throws {
        let life = try StandInLife.running()
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
        let life = try StandInLife.running()
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

    // MARK: Freezing

    @Test func whatCannotBeFrozenRunsOn() throws {
        let life = try StandInLife.running(["sleep": "freeze"])
        life.node.failing["freeze"] = SystemError("freeze", "cgroup", code: ETIMEDOUT)
        try life.look()
        #expect(try life.container.state == .running)
        #expect(try life.container.history.lastError.contains("it cannot be frozen"))
        try life.look()
        #expect(try life.container.state == .frozen)
        try life.endAndExpectNothingLeft()
    }

    @Test func anExitFrozenEndsIt() throws {
        let life = try StandInLife.running(["sleep": "freeze"])
        let exit = life.wait()
        try life.look()
        // Under cgroups v2 the kernel ends what stands still.
        try life.outside.end(life.container.main.pid, .signaled(SIGKILL))
        life.node.settle()
        #expect(try exit.value.exitStatus == 137)
        #expect(try !life.outside.standsStill)
        try life.endAndExpectNothingLeft()
    }
}
