import ContainerdAPI
import Linux
import Protobuf
import TTRPC
import Testing

@testable import Events

@Suite struct EventPublisherTests {
    @Test func anEventArrivesAsContainerdWantsIt() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        let publisher = containerd.publisher()
        publisher.publish(
            TaskExit {
                $0.containerID = "c"
                $0.id = "c"
                $0.pid = 7
                $0.exitStatus = 137
            }, at: WallClockTime(seconds: 1_700_000_000, nanoseconds: 5))
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        let envelope = try #require(containerd.received.first)
        #expect(containerd.received.count == 1)
        #expect(envelope.topic == "/tasks/exit")
        #expect(envelope.namespace == "k8s.io")
        #expect(containerd.namespaces == ["k8s.io"])
        #expect(envelope.timestamp == Timestamp(seconds: 1_700_000_000, nanoseconds: 5))
        #expect(envelope.event?.typeURL == "containerd.events.TaskExit")
        let event = try #require(try envelope.event?.unpack(as: TaskExit.self))
        #expect(event.pid == 7)
        #expect(event.exitStatus == 137)
        #expect(containerd.publisherLog.isEmpty)
    }

    /// containerd answers the first event late: the second must not overtake it.
    @Test func oneEventIsOnItsWayAtATime() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        var underWay = 0
        var most = 0
        containerd.answer = { _, reply in
            underWay += 1
            most = max(most, underWay)
            containerd.loop.after(.milliseconds(1)) {
                underWay -= 1
                reply.succeed(Empty())
            }
        }
        let publisher = containerd.publisher()
        for pid in 1...20 { publisher.publish(start(UInt32(pid))) }
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        #expect(most == 1)
        #expect(containerd.pids == (1...20).map { UInt32($0) })
    }

    @Test func theOrderHoldsOverARestartOfContainerd() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        let publisher = containerd.publisher()
        containerd.answer = { _, reply in
            guard containerd.received.count == 3 else { return reply.succeed(Empty()) }
            // Gone in the middle of the third event, before its answer.
            containerd.stop()
            for pid in 6...10 { publisher.publish(start(UInt32(pid))) }
            containerd.loop.after(.milliseconds(150)) {
                do { try containerd.start() } catch { Issue.record("\(error)") }
            }
            reply.succeed(Empty())
        }
        for pid in 1...5 { publisher.publish(start(UInt32(pid))) }
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        // The third came twice: nobody can know that containerd had it.
        #expect(containerd.pids == [1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect(containerd.publisherLog.count == 2)
        #expect(containerd.publisherLog.last == "containerd takes events again; 8 were waiting")
    }

    @Test func containerdMayBeAwayAtFirstAndShowItself() throws {
        let containerd = try StandInContainerd()
        let publisher = containerd.publisher()
        for pid in 1...3 { publisher.publish(start(UInt32(pid))) }
        #expect(publisher.queued == 3)
        #expect(containerd.publisherLog.count == 1)
        try containerd.start()
        publisher.retryNow()
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        #expect(containerd.pids == [1, 2, 3])
    }

    @Test func aConnectionThatWentWhileNothingWasToSayIsMadeAgain() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        let publisher = containerd.publisher()
        publisher.publish(start(1))
        func comeBack() {
            // Until the end of the connection has been seen.
            if publisher.isConnected {
                _ = containerd.loop.after(.milliseconds(1), comeBack)
                return
            }
            do { try containerd.start() } catch { Issue.record("\(error)") }
            publisher.publish(start(2))
            publisher.whenDrained { containerd.loop.stop() }
        }
        publisher.whenDrained {
            containerd.stop()
            comeBack()
        }
        try containerd.run()
        #expect(containerd.pids == [1, 2])
        #expect(containerd.publisherLog.isEmpty)
    }

    @Test func withoutEventsNoTimerIsArmed() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        let publisher = containerd.publisher()
        publisher.publish(start(1))
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.loop.run()
        #expect(publisher.queued == 0)
        #expect(containerd.loop.nextTimer == nil)
    }

    @Test func beyondTheLimitTheOldestAreLostAndItIsLogged() throws {
        let containerd = try StandInContainerd()
        let publisher = containerd.publisher()
        for pid in 1...EventPublisher.mostQueued + 3 { publisher.publish(start(UInt32(pid))) }
        #expect(publisher.queued == EventPublisher.mostQueued)
        try containerd.start()
        publisher.retryNow()
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        #expect(containerd.pids == (4...EventPublisher.mostQueued + 3).map { UInt32($0) })
        let lost = containerd.publisherLog.filter {
            $0 == "event /tasks/start is lost: 2048 wait for containerd already"
        }
        #expect(lost.count == 3)
    }

    @Test func theEventOnItsWayIsNotTheOneThatGivesWay() {
        var queue = UnsentEvents(limit: 2)
        func item(_ number: UInt8) -> UnsentEvents.Item { UnsentEvents.Item(topic: "", payload: [number]) }
        #expect(queue.append(item(1)) == nil)
        queue.holdFirst()
        #expect(queue.append(item(2)) == nil)
        #expect(queue.append(item(3)) == item(2))
        #expect(queue.first == item(1))
        queue.releaseFirst()
        #expect(queue.append(item(4)) == item(1))
        queue.removeFirst()
        #expect(queue.first == item(4))
    }

    @Test func aContainerdThatDoesNotAnswerIsTriedAgainOnANewConnection() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        var kept: [Reply] = []
        containerd.answer = { _, reply in
            if kept.isEmpty { kept.append(reply) } else { reply.succeed(Empty()) }
        }
        let publisher = containerd.publisher(timeout: .milliseconds(20))
        publisher.publish(start(1))
        publisher.publish(start(2))
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        // On a slow machine more attempts than one may end unanswered.
        #expect(containerd.pids.starts(with: [1, 1]))
        #expect(containerd.pids.last == 2)
        #expect(containerd.pids == containerd.pids.sorted())
        #expect(containerd.publisherLog.first?.hasPrefix("containerd takes no events (deadlineExceeded") == true)
    }

    @Test func anEventThatContainerdRefusesIsGivenUpAndTheNextOneSent() throws {
        let containerd = try StandInContainerd()
        try containerd.start()
        let publisher = containerd.publisher()
        containerd.answer = { _, reply in
            guard containerd.pids.last == 1 else { return reply.succeed(Empty()) }
            reply.fail(.invalidArgument, "topic is bad")
            // Without waiting for the pause between two attempts to be over.
            containerd.loop.after(.milliseconds(1)) { publisher.retryNow() }
        }
        publisher.publish(start(1))
        publisher.publish(start(2))
        publisher.whenDrained { containerd.loop.stop() }
        try containerd.run()
        #expect(containerd.pids == [1, 1, 1, 1, 1, 2])
        #expect(
            containerd.publisherLog == [
                "event /tasks/start is lost: containerd refuses it: invalidArgument: topic is bad"
            ])
    }

    @Test func pausesGrowAndStopGrowing() {
        var backoff = Backoff()
        let pauses = (0..<9).map { _ in backoff.next().nanoseconds / 1_000_000 }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
    }
}
