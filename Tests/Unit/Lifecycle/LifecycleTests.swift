import Testing

@testable import Lifecycle

@Suite struct LifecycleTests {
    @Test func fallsAsleepAfterTheConfiguredTimeWithoutTraffic() {
        var lifecycle = running()
        #expect(
            lifecycle.looked(at: 4 * second, ports: [80], lastActivity: 3 * second)
                == [.declare(ports: [80]), .look(after: 9 * second)])
        #expect(lifecycle.looked(at: 13 * second, ports: [80], lastActivity: 3 * second) == [.hold, .checkpoint])
        #expect(lifecycle.checkpointEnded(.done, at: 14 * second) == [.asleep])
        #expect(lifecycle.state == .asleep)
    }

    /// Who asks for a sleep that has begun is not told that the container does not run.
    @Test func aSleepMayBeAskedForWhileItFallsAsleep() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(lifecycle.state == .checkpointing(wanted: false))
        #expect(lifecycle.sleepRequested(at: 10 * second) == [])
        #expect(lifecycle.connectionHeld() == [.giveUpCheckpoint])
        #expect(lifecycle.sleepRequested(at: 10 * second) == [])
        var sleeper = asleep()
        #expect(sleeper.sleepRequested(at: 12 * second) == [])
    }

    @Test func staysAwakeUntilARequestIsAnswered() {
        var lifecycle = running()
        let look: [Effect] = [.look(after: 10 * second)]
        #expect(
            lifecycle.looked(at: 20 * second, ports: [80], lastActivity: second, unansweredSince: second)
                == [.declare(ports: [80])] + look)
        #expect(lifecycle.reasons.contains(.requestInFlight))
        #expect(
            lifecycle.looked(at: 299 * second, ports: [80], lastActivity: second, unansweredSince: second) == look)
        // The answer is a packet too.
        #expect(lifecycle.looked(at: 300 * second, ports: [80], lastActivity: 300 * second) == look)
        #expect(!lifecycle.reasons.contains(.requestInFlight))
        #expect(lifecycle.looked(at: 310 * second, ports: [80], lastActivity: 300 * second) == [.hold, .checkpoint])
    }

    @Test func waitsNotForEverForAnAnswer() {
        var lifecycle = running()
        _ = lifecycle.looked(at: second, ports: [80], lastActivity: 0)
        #expect(
            lifecycle.looked(at: 302 * second, ports: [80], lastActivity: second, unansweredSince: second)
                == [.hold, .checkpoint])
    }

    /// A start takes as long as it takes; afterwards the usual time holds.
    @Test func theFirstSleepMayTakeLonger() {
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: 10 * second, first: 60 * second))
        _ = lifecycle.started(at: 0)
        _ = lifecycle.looked(at: second, ports: [80], lastActivity: 0)
        #expect(lifecycle.looked(at: 59 * second, ports: [80], lastActivity: 0) == [.look(after: second)])
        #expect(lifecycle.looked(at: 60 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
        _ = lifecycle.checkpointEnded(.done, at: 61 * second)
        _ = lifecycle.connectionHeld()
        _ = lifecycle.restored(at: 70 * second)
        #expect(lifecycle.looked(at: 80 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
    }

    @Test func staysAwakeUntilItIsReady() {
        var lifecycle = running()
        let look: [Effect] = [.look(after: 10 * second)]
        _ = lifecycle.looked(at: second, ports: [80, 90], lastActivity: 0)
        #expect(lifecycle.looked(at: 20 * second, ports: [80, 90], lastActivity: 0, missing: [90, 91]) == look)
        #expect(lifecycle.reasons.descriptions.last?.hasSuffix("ports-map names: 90, 91") == true)
        #expect(lifecycle.looked(at: 30 * second, ports: [80, 90], lastActivity: 0, failing: "GET / got 503") == look)
        #expect(lifecycle.reasons.descriptions == ["it is not ready: GET / got 503"])
        #expect(lifecycle.sleepRequested(at: 30 * second) == nil)
        #expect(lifecycle.looked(at: 40 * second, ports: [80, 90], lastActivity: 0) == [.hold, .checkpoint])
    }

    @Test func staysAwakeWhileConnectedIfThatCounts() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 20 * second, ports: [80], lastActivity: second, isConnected: true)
        #expect(lifecycle.state == .running && lifecycle.reasons.contains(.connected))
        // However long that is.
        _ = lifecycle.looked(at: 9000 * second, ports: [80], lastActivity: second, isConnected: true)
        #expect(lifecycle.sleepRequested(at: 0) == nil)
        #expect(lifecycle.looked(at: 9010 * second, ports: [80], lastActivity: second) == [.hold, .checkpoint])
        #expect(!lifecycle.reasons.contains(.connected))
    }

    @Test func staysAwakeWhileAtWorkButNotForEver() {
        var lifecycle = running()
        let look: [Effect] = [.look(after: 10 * second)]
        _ = lifecycle.looked(at: second, ports: [80], lastActivity: second)
        #expect(lifecycle.looked(at: 20 * second, ports: [80], lastActivity: second, isWorking: true) == look)
        #expect(lifecycle.reasons.contains(.working))
        #expect(lifecycle.looked(at: 300 * second, ports: [80], lastActivity: second, isWorking: true) == look)
        var asked = lifecycle
        #expect(asked.sleepRequested(at: 0) == [.hold, .checkpoint])
        #expect(
            lifecycle.looked(at: 301 * second, ports: [80], lastActivity: second, isWorking: true)
                == [.hold, .checkpoint])
    }

    /// A job that works by timers: nobody is connected, and it takes as long as it takes.
    @Test func staysAwakeWhileAtWorkForAsLongAsThatCounts() {
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: 10 * second, workCounts: true))
        _ = lifecycle.started(at: 0)
        _ = lifecycle.looked(at: second, ports: [80], lastActivity: 0)
        let look: [Effect] = [.look(after: 10 * second)]
        #expect(lifecycle.looked(at: 9000 * second, ports: [80], lastActivity: 0, isWorking: true) == look)
        #expect(lifecycle.reasons.descriptions == [Reason.computing.rawValue])
        var asked = lifecycle
        #expect(asked.sleepRequested(at: 0) == [.hold, .checkpoint])
        #expect(lifecycle.looked(at: 9010 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
    }

    /// A start takes as long as it takes, up to a limit: some programs always compute.
    @Test func workPutsTheFirstSleepOff() {
        let look: [Effect] = [.look(after: 10 * second)]
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: 10 * second, longestStart: 100 * second))
        _ = lifecycle.started(at: 5 * second)
        _ = lifecycle.looked(at: 6 * second, ports: [80], lastActivity: 0, isBusy: true)
        #expect(lifecycle.reasons.descriptions == [], "it would not sleep yet in any case")
        #expect(lifecycle.looked(at: 104 * second, ports: [80], lastActivity: 0, isBusy: true) == look)
        #expect(
            lifecycle.reasons.descriptions == [
                "its processes are at work, and it has not slept yet: it may when they are done, or have run for 100 s"
            ])
        var (asked, done, late) = (lifecycle, lifecycle, lifecycle)
        #expect(asked.sleepRequested(at: 104 * second) == [.hold, .checkpoint])
        #expect(done.looked(at: 104 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
        #expect(late.looked(at: 105 * second, ports: [80], lastActivity: 0, isBusy: true) == [.hold, .checkpoint])
        // From its first sleep on it is no start.
        _ = asked.checkpointEnded(.done, at: 20 * second)
        _ = asked.connectionHeld()
        _ = asked.restored(at: 30 * second)
        #expect(asked.looked(at: 40 * second, ports: [80], lastActivity: 0, isBusy: true) == [.hold, .checkpoint])
        var never = Lifecycle(policy: Policy(scaleDownAfter: 10 * second, longestStart: 0))
        _ = never.started(at: 0)
        _ = never.looked(at: second, ports: [80], lastActivity: 0)
        #expect(never.looked(at: 10 * second, ports: [80], lastActivity: 0, isBusy: true) == [.hold, .checkpoint])
    }

    @Test func whatElseWakesMakesPortsDispensable() {
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: second, sleepsWithoutPorts: true))
        _ = lifecycle.started(at: 0)
        #expect(lifecycle.sleepRequested(at: 0) == nil, "nothing could wake it before the first look")
        #expect(lifecycle.looked(at: second / 4, ports: [], lastActivity: 0) == [.look(after: second * 3 / 4)])
        #expect(lifecycle.looked(at: second, ports: [], lastActivity: 0) == [.hold, .checkpoint])
        #expect(lifecycle.state == .checkpointing(wanted: false))
    }

    @Test func looksForPortsSoonAndThenEverMoreSeldom() {
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: second))
        #expect(lifecycle.started(at: 0) == [.look(after: second / 4)])
        #expect(lifecycle.looked(at: 0, ports: [], lastActivity: 0) == [.look(after: second / 2)])
        #expect(lifecycle.looked(at: 0, ports: [], lastActivity: 0) == [.look(after: second)])
        #expect(lifecycle.looked(at: 99 * second, ports: [], lastActivity: 0) == [.look(after: second)])
        #expect(lifecycle.reasons.contains(.portsUnknown))
    }

    @Test func aZeroDurationNeverLooks() {
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: 0, standingReasons: [.disabled]))
        #expect(lifecycle.started(at: 0) == [])
        #expect(lifecycle.reasons.descriptions == [Reason.disabled.rawValue])
    }

    @Test func aConnectionWakesIt() {
        var lifecycle = asleep()
        #expect(lifecycle.connectionHeld() == [.restore])
        #expect(lifecycle.connectionHeld() == [])
        #expect(lifecycle.restored(at: 20 * second) == [.release, .awake, .look(after: 10 * second)])
    }

    @Test func whoConnectedNeedNotWaitForTheEndOfTheRestore() {
        var lifecycle = asleep()
        _ = lifecycle.connectionHeld()
        _ = lifecycle.request(7)
        #expect(lifecycle.resuming() == [.release])
        #expect(lifecycle.resuming() == [])
        #expect(lifecycle.state == .resuming, "who needs runc waits until it knows the processes")
        #expect(lifecycle.restored(at: 20 * second) == [.awake, .proceed(7), .look(after: 10 * second)])

        var failed = asleep()
        _ = failed.connectionHeld()
        _ = failed.resuming()
        #expect(failed.restoreFailed() == [.keepImages, .exited(status: 255)], "nothing is held any more")

        var slept = lifecycle
        _ = slept.finished(7, at: 21 * second)
        _ = slept.looked(at: 40 * second, ports: [80], lastActivity: 0)
        _ = slept.checkpointEnded(.done, at: 41 * second)
        _ = slept.connectionHeld()
        #expect(slept.restored(at: 42 * second).first == .release, "each restore releases for itself")
    }

    @Test func aConnectionDuringTheCheckpointWins() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(lifecycle.connectionHeld() == [.giveUpCheckpoint])
        #expect(lifecycle.checkpointEnded(.givenUp, at: 11 * second) == [.release, .look(after: 10 * second)])
        #expect(lifecycle.state == .running)
    }

    @Test func aCheckpointThatCouldNotBeGivenUpInTimeIsUndone() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        _ = lifecycle.request(7)
        #expect(lifecycle.checkpointEnded(.done, at: 11 * second) == [.restore])
        #expect(
            lifecycle.restored(at: 12 * second) == [.release, .awake, .proceed(7), .look(after: 10 * second)])
    }

    @Test func anExitDuringTheCheckpointIsCRIUsDoingOnlyIfTheDumpSucceeded() {
        var slept = running()
        _ = slept.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(slept.initExited(status: 137) == [])
        #expect(slept.checkpointEnded(.done, at: 11 * second) == [.asleep])

        var died = running()
        _ = died.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(died.initExited(status: 3) == [])
        #expect(
            died.checkpointEnded(.failed("no such process"), at: 11 * second)
                == [.refuseConnections, .exited(status: 3)])
    }

    @Test func anExecKeepsItAwakeUntilItEnds() {
        var lifecycle = running()
        #expect(lifecycle.request(1) == [.proceed(1)])
        #expect(lifecycle.looked(at: 99 * second, ports: [80], lastActivity: 0).contains(.checkpoint) == false)
        _ = lifecycle.finished(1, at: 100 * second)
        #expect(lifecycle.looked(at: 109 * second, ports: [80], lastActivity: 0) == [.look(after: second)])
        #expect(lifecycle.looked(at: 110 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
    }

    @Test func aFailedRestoreEndsTheContainerAndRefusesWhoWaits() {
        var lifecycle = asleep()
        _ = lifecycle.connectionHeld()
        _ = lifecycle.request(5)
        #expect(lifecycle.restoreFailed() == [.keepImages, .refuseConnections, .refuse(5), .exited(status: 255)])
        #expect(lifecycle.request(6) == [.refuse(6)])
    }

    @Test func aForcedKillAsleepNeedsNoRestore() {
        var lifecycle = asleep()
        #expect(lifecycle.killedByForce() == [.refuseConnections, .exited(status: 137)])
        var awake = running()
        #expect(awake.killedByForce() == nil)
    }

    @Test func aForcedKillDoesNotWaitForARestore() {
        var lifecycle = asleep()
        _ = lifecycle.connectionHeld()
        #expect(lifecycle.killedByForce() == [.giveUpRestore, .refuseConnections, .exited(status: 137)])
        #expect(lifecycle.restored(at: 20 * second) == [.endProcesses])
    }

    @Test func aChangeAsleepWakesNobodyAndHoldsUpTheWake() {
        var lifecycle = asleep()
        #expect(lifecycle.request(1, .noChange) == [.proceed(1)])
        #expect(lifecycle.connectionHeld() == [])
        #expect(lifecycle.request(2, .noChange) == [], "it comes after those who want to wake it")
        #expect(lifecycle.finished(1, at: 20 * second) == [.restore])
        #expect(lifecycle.restored(at: 21 * second) == [.release, .awake, .proceed(2), .look(after: 10 * second)])
    }

    @Test func aChangeDuringTheCheckpointWaitsForItsEnd() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(lifecycle.request(1, .noChange) == [])
        #expect(lifecycle.checkpointEnded(.done, at: 11 * second) == [.asleep, .proceed(1)])
    }

    @Test func pausedAsleepItWakesWhenItIsResumed() {
        var lifecycle = asleep()
        lifecycle.paused()
        #expect(lifecycle.connectionHeld() == [])
        #expect(lifecycle.request(1) == [])
        #expect(lifecycle.resumed(at: 20 * second) == [.restore])
        #expect(lifecycle.restored(at: 21 * second) == [.release, .awake, .proceed(1), .look(after: 10 * second)])
    }

    @Test func pausedItServesNobodyInTheMiddleOfARestore() {
        var lifecycle = asleep()
        lifecycle.paused()
        #expect(lifecycle.request(1, .processesThoughPaused) == [.restore])
        #expect(lifecycle.resuming() == [])
        #expect(lifecycle.restored(at: 21 * second).first == .release)
    }

    @Test func resumedAsleepItSleepsOnIfNobodyCame() {
        var lifecycle = asleep()
        lifecycle.paused()
        #expect(lifecycle.resumed(at: 20 * second) == [])
        #expect(lifecycle.state == .asleep)
        #expect(lifecycle.connectionHeld() == [.restore])
    }

    @Test func anExportWakesWhatIsPausedAsleep() {
        var lifecycle = asleep()
        lifecycle.paused()
        #expect(lifecycle.request(1, .processesThoughPaused) == [.restore])
    }

    @Test func aFailedCheckpointIsToldAndTriedAgainLater() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(
            lifecycle.checkpointEnded(.failed("io_uring"), at: 11 * second) == [.release, .look(after: 60 * second)])
        #expect(lifecycle.reasons.descriptions == ["its last checkpoint failed: io_uring"])
        #expect(lifecycle.looked(at: 71 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
    }

    @Test func aNodeThatCannotCheckpointIsNotAskedAgain() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(lifecycle.checkpointEnded(.impossible("no criu"), at: 11 * second) == [.release])
        #expect(lifecycle.looked(at: 99 * second, ports: [80], lastActivity: 0).contains(.checkpoint) == false)
    }
}
