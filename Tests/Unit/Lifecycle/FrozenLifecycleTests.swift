import Testing

@testable import Lifecycle

@Suite struct FrozenLifecycleTests {
    private func frozen() -> Lifecycle {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        _ = lifecycle.checkpointEnded(.refused("io_uring"), at: 11 * second)
        return lifecycle
    }

    @Test func whatCRIURefusesIsFrozenAtOnce() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        #expect(lifecycle.checkpointEnded(.refused("io_uring"), at: 11 * second) == [.freeze])
        #expect(lifecycle.state == .frozen)
        #expect(lifecycle.reasons.descriptions == ["it cannot be checkpointed: io_uring"])
        #expect(lifecycle.connectionHeld() == [.thaw])
        #expect(lifecycle.thawed(at: 12 * second) == [.release, .look(after: 10 * second)])
        // CRIU is asked again after an hour.
        #expect(lifecycle.looked(at: 30 * second, ports: [80], lastActivity: 0) == [.hold, .freeze])
        _ = lifecycle.connectionHeld()
        _ = lifecycle.thawed(at: 40 * second)
        #expect(lifecycle.looked(at: 3611 * second, ports: [80], lastActivity: 0) == [.hold, .checkpoint])
        #expect(lifecycle.checkpointEnded(.done, at: 3612 * second) == [.asleep])
        #expect(lifecycle.reasons.descriptions == [])
    }

    @Test func onlyARefusalFreezes() {
        for outcome in [Lifecycle.CheckpointOutcome.failed("no room"), .givenUp, .impossible("no criu")] {
            var lifecycle = running()
            _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
            #expect(lifecycle.checkpointEnded(outcome, at: 11 * second).contains(.freeze) == false)
            #expect(lifecycle.state == .running)
        }
    }

    @Test func whoeverComesDuringARefusedCheckpointFindsItAwake() {
        var lifecycle = running()
        _ = lifecycle.looked(at: 10 * second, ports: [80], lastActivity: 0)
        _ = lifecycle.connectionHeld()
        #expect(lifecycle.checkpointEnded(.refused("io_uring"), at: 11 * second).first == .release)
        #expect(lifecycle.state == .running)
    }

    @Test func theWaysOfSleepingCanBeChosen() {
        var checkpoint = Lifecycle(policy: Policy(scaleDownAfter: second, ways: .checkpoint))
        _ = checkpoint.started(at: 0)
        _ = checkpoint.looked(at: 2 * second, ports: [80], lastActivity: 0)
        #expect(checkpoint.checkpointEnded(.refused("x"), at: 3 * second) == [.release, .look(after: 60 * second)])

        var freeze = Lifecycle(policy: Policy(scaleDownAfter: second, ways: .freeze))
        _ = freeze.started(at: 0)
        #expect(
            freeze.looked(at: 2 * second, ports: [80], lastActivity: 0) == [.declare(ports: [80]), .hold, .freeze])
    }

    /// CRIU could make no whole container of it again.
    @Test func aSharedProcessNamespaceIsNeverCheckpointedAndFrozen() {
        var lifecycle = Lifecycle(policy: Policy(scaleDownAfter: second, standingReasons: [.sharedProcesses]))
        _ = lifecycle.started(at: 0)
        #expect(lifecycle.looked(at: 2 * second, ports: [80], lastActivity: 0).last == .freeze)

        let without = Policy(scaleDownAfter: second, standingReasons: [.sharedProcesses], ways: .checkpoint)
        #expect(!without.mayEverSleep)
    }

    @Test(arguments: [Reason.sandbox, .terminal, .hostNetwork, .notSelected, .disabled, .checkpointingDisabled])
    func othersAreNotFrozenEither(_ reason: Reason) {
        #expect(!Policy(scaleDownAfter: second, standingReasons: [reason, .sharedProcesses]).mayEverSleep)
    }

    @Test func frozenItIsChangedWithoutAWakeAndKilledAfterOne() {
        var lifecycle = frozen()
        #expect(lifecycle.request(1, .noChange) == [.proceed(1)])
        #expect(lifecycle.finished(1, at: 20 * second) == [])
        #expect(lifecycle.killedByForce() == nil)
        #expect(lifecycle.request(2) == [.thaw])
        #expect(lifecycle.thawed(at: 21 * second) == [.release, .proceed(2), .look(after: 10 * second)])
    }

    @Test func pausedFrozenItThawsWhenItIsResumed() {
        var lifecycle = frozen()
        lifecycle.paused()
        #expect(lifecycle.connectionHeld() == [])
        #expect(lifecycle.resumed(at: 20 * second) == [.thaw])
    }

    @Test func whatCannotBeFrozenRunsOn() {
        var lifecycle = frozen()
        #expect(lifecycle.freezeFailed("x", at: 12 * second) == [.release, .look(after: 60 * second)])
        #expect(lifecycle.state == .running)
    }

    @Test func anExitFrozenEndsIt() {
        var lifecycle = frozen()
        #expect(lifecycle.initExited(status: 137) == [.refuseConnections, .exited(status: 137)])
    }
}
