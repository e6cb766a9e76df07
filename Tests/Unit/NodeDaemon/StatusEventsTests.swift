import JSON
import Linux
import StatusAPI
import Testing

@testable import NodeDaemon

@Suite struct StatusEventsTests {
    private func report(_ sleeps: UInt64, _ wakes: UInt64, failed: UInt64 = 0, lost: UInt64 = 0) -> ContainerReport {
        func times(_ count: UInt64, _ last: UInt64) -> Durations? {
            count == 0
                ? nil
                : Durations {
                    $0.count = count
                    $0.lastNanoseconds = last
                }
        }
        return ContainerReport {
            $0.id = "0123456789012345678901234567890123456789"
            $0.podNamespace = "shop"
            $0.podName = "web-1"
            $0.containerName = "nginx"
            $0.checkpoints = times(sleeps, 29_000_000)
            $0.restores = times(wakes, 21_000_000)
            $0.checkpointErrors = failed
            $0.restoreErrors = lost
            $0.memoryGivenBack = sleeps > wakes ? 17 << 20 : 0
            $0.lastError = "criu failed: type DUMP\nErr (x): io_uring"
        }
    }

    private func names(_ old: ContainerReport, _ new: ContainerReport) -> [String] {
        ContainerChange.between(old, new).map { "\($0.kind.rawValue)\($0.number)" }
    }

    @Test func oneForEachChangeInItsOrder() {
        #expect(names(report(0, 0), report(0, 0)) == [])
        #expect(names(report(0, 0), report(1, 0)) == ["s1"])
        #expect(names(report(1, 0), report(1, 1)) == ["w1"])
        // Read late.
        #expect(names(report(1, 0), report(3, 3)) == ["w1", "s2", "w2", "s3", "w3"])
        #expect(names(report(1, 1), report(3, 2)) == ["s2", "w2", "s3"])
        #expect(names(report(1, 1), report(2, 1, failed: 2)) == ["cf1", "cf2", "s2"])
        #expect(names(report(2, 1), report(2, 1, lost: 1)) == ["rf1"])
    }

    @Test func aNewDaemonTellsTheLastChangeOnce() {
        let now = WallClockTime(seconds: 10_000, nanoseconds: 0)
        var seen = report(3, 2)
        #expect(names(StatusEvents.baseline(seen, now: now), seen) == [])
        seen.lastCheckpoint = .init(seconds: 9990, nanoseconds: 0)
        seen.lastRestore = .init(seconds: 2000, nanoseconds: 0)
        #expect(names(StatusEvents.baseline(seen, now: now), seen) == ["s3"])
        seen.lastRestore = .init(seconds: 9980, nanoseconds: 0)
        #expect(names(StatusEvents.baseline(seen, now: now), seen) == ["w2", "s3"])
    }

    @Test func whatAnEventSays() throws {
        func event(_ change: ContainerChange, withheld: Int = 0) -> JSON {
            EventObject.make(
                change, of: report(1, 0, failed: 1), podUID: "uid", node: "node-1",
                at: WallClockTime(seconds: 1_700_000_000, nanoseconds: 5_000_000), withheld: withheld)
        }
        let asleep = event(ContainerChange(kind: .asleep, number: 1, took: 29_000_000))
        #expect(asleep["reason"] == "Scaled down")
        #expect(asleep["message"] == "Scaled down container nginx in 29ms, 17M of memory freed")
        #expect(asleep["type"] == "Normal")
        #expect(asleep["metadata"]?["name"] == "zeropod-status-event-01234567890123456789-s1")
        #expect(asleep["metadata"]?["namespace"] == "shop")
        #expect(asleep["involvedObject"]?["fieldPath"] == "spec.containers{nginx}")
        #expect(asleep["eventTime"] == "2023-11-14T22:13:20.005000Z")
        #expect(asleep["lastTimestamp"] == "2023-11-14T22:13:20Z")
        let awake = event(ContainerChange(kind: .awake, number: 1, took: 21_000_000), withheld: 3)
        #expect(awake["reason"] == "Running")
        #expect(
            awake["message"]
                == "Restored container nginx in 21ms (3 changes before it have no events of their own)")
        let failed = event(ContainerChange(kind: .checkpointFailed, number: 1))
        #expect(failed["reason"] == "Checkpoint failed")
        #expect(failed["type"] == "Warning")
        // CRIU's log is for root on the node.
        #expect(failed["message"] == "Checkpoint failed for container nginx: criu failed: type DUMP")
    }

    /// Of the last wake alone it is known.
    @Test func aWakeSaysWhoWokeIt() {
        var woken = report(2, 2)
        woken.lastWake = CallerReport { $0.words = "a connection from 10.0.0.5:4242 to port 80" }
        let messages = [1, 2].map { (number: UInt64) in
            EventObject.make(
                ContainerChange(kind: .awake, number: number), of: woken, podUID: "uid", node: "n", at: .now,
                withheld: 0
            )["message"]?.string
        }
        #expect(
            messages == [
                "Restored container nginx",
                "Restored container nginx, woken by a connection from 10.0.0.5:4242 to port 80",
            ])
    }

    @Test func freezesAndThawsAreToldByTurns() {
        func frozen(_ freezes: UInt64, _ thaws: UInt64, sleeps: UInt64 = 0, wakes: UInt64 = 0) -> ContainerReport {
            var report = report(sleeps, wakes)
            (report.freezes, report.thaws) = (freezes, thaws)
            return report
        }
        #expect(names(frozen(0, 0), frozen(1, 0)) == ["f1"])
        #expect(names(frozen(1, 0), frozen(1, 0)) == [])
        #expect(names(frozen(1, 0), frozen(1, 1)) == ["t1"])
        // Read late.
        #expect(names(frozen(1, 0), frozen(3, 2)) == ["t1", "f2", "t2", "f3"])
        // After an hour CRIU is asked again, and takes it.
        #expect(names(frozen(1, 0), frozen(1, 1, sleeps: 1)) == ["t1", "s1"])
        #expect(names(frozen(0, 0), frozen(1, 1, sleeps: 1)) == ["f1", "t1", "s1"])
        // It refuses again.
        #expect(names(frozen(0, 0, sleeps: 1), frozen(1, 0, sleeps: 1, wakes: 1)) == ["w1", "f1"])
    }

    @Test func aNewDaemonTellsTheLastFreezeOnce() {
        let now = WallClockTime(seconds: 10_000, nanoseconds: 0)
        var seen = report(0, 0)
        (seen.freezes, seen.thaws) = (5, 4)
        (seen.lastFreeze, seen.lastThaw) = (.init(seconds: 2000, nanoseconds: 0), .init(seconds: 1000, nanoseconds: 0))
        #expect(names(StatusEvents.baseline(seen, now: now), seen) == [])
        seen.lastFreeze = .init(seconds: 9990, nanoseconds: 0)
        #expect(names(StatusEvents.baseline(seen, now: now), seen) == ["f5"])
    }

    @Test func aFreezeSaysWhy() throws {
        func event(_ kind: ContainerChange.Kind, _ reasons: [String]) -> JSON {
            var report = report(0, 0)
            (report.freezes, report.reasons) = (1, reasons)
            return EventObject.make(
                ContainerChange(kind: kind, number: 1), of: report, podUID: "uid", node: "node-1", at: .now, withheld: 0
            )
        }
        let refused = event(.frozen, ["its last checkpoint failed: criu failed: type DUMP\nErr (x): io_uring"])
        #expect(refused["reason"] == "Frozen")
        #expect(refused["type"] == "Normal")
        #expect(refused["metadata"]?["name"] == "zeropod-status-event-01234567890123456789-f1")
        #expect(
            refused["message"]
                == "Froze container nginx, which is not checkpointed: its last checkpoint failed: criu failed: type DUMP"
        )
        #expect(
            event(.frozen, [])["message"]
                == "Froze container nginx, which is not checkpointed: zeropod.ctrox.dev/sleep is freeze")
        #expect(event(.thawed, [])["message"] == "Thawed container nginx")
    }

    @Test func messagesAreAsLongAsTheServerTakesThem() {
        var long = report(0, 0, failed: 1)
        long.lastError = String(repeating: "ü", count: 2000)
        let event = EventObject.make(
            ContainerChange(kind: .checkpointFailed, number: 1), of: long, podUID: "", node: "", at: .now, withheld: 0)
        let bytes = event["message"]?.string?.utf8.count ?? 0
        #expect(bytes > 1000 && bytes <= 1024)
    }

    @Test func labelsAreWrittenWhenTheyDiffer() {
        var pod = Pod()
        var asleep = report(1, 0)
        asleep.state = .asleep
        let key = "status.zeropod.ctrox.dev/nginx"
        #expect(StatusLabels.changes(of: pod, [asleep]) == [key: "SCALED_DOWN"])
        pod.labels = [key: "SCALED_DOWN"]
        #expect(StatusLabels.changes(of: pod, [asleep]) == [:])
        asleep.state = .restoring
        #expect(StatusLabels.changes(of: pod, [asleep]) == [:])
        asleep.state = .running
        #expect(StatusLabels.changes(of: pod, [asleep]) == [key: "RUNNING"])
        asleep.state = .frozen
        #expect(StatusLabels.changes(of: pod, [asleep]) == [key: "FROZEN"])
    }

    /// What changes by the clock is not in them: each change is a write to the API server.
    @Test func annotationsSayWhy() throws {
        var pod = Pod()
        var report = report(1, 1)
        report.state = .running
        report.lastUse = .init(seconds: 500, nanoseconds: 0)
        report.lastWake = CallerReport { ($0.words, $0.at) = ("a connection", .init(seconds: 400, nanoseconds: 0)) }
        let key = "status.zeropod.ctrox.dev/nginx"
        let text = try #require(StatusAnnotation.changes(of: pod, [report], node: "n")[key] ?? nil)
        #expect(
            text.contains(
                #""why":"nothing stands in its way; it sleeps once it is idle for long enough; woken last by a connection""#
            ))
        pod.annotations = [key: text, "zeropod.ctrox.dev/in-place-scaling": "false"]
        report.lastUse = .init(seconds: 900, nanoseconds: 0)
        #expect(StatusAnnotation.changes(of: pod, [report], node: "n") == [:])
        report.reasons = ["it is not ready: GET / was answered 503", "x; its log ends:\nError: /srv/secret"]
        let changed = try #require(StatusAnnotation.changes(of: pod, [report], node: "n")[key] ?? nil)
        #expect(changed.contains("it is not ready: GET / was answered 503; x; woken last by a connection"))
        // As it was written it is read.
        #expect(StatusAnnotation(parsing: changed)?.text == changed)
        report.state = .restoring
        #expect(StatusAnnotation.changes(of: pod, [report], node: "n") == [:])
        #expect(StatusAnnotation.removals(of: pod) == [key: nil])
    }

    @Test func bodiesOfPatches() {
        var pod = Pod()
        (pod.uid, pod.version) = ("u", "7")
        #expect(
            PodPatch.status(pod, labels: ["a/b": "c"], annotations: ["d": nil]).text
                == #"{"metadata":{"uid":"u","labels":{"a/b":"c"},"annotations":{"d":null}}}"#)
        #expect(
            PodPatch.requests(pod, ["web": ["cpu": "1m", "memory": "1Ki"]]).text
                == #"{"metadata":{"uid":"u","resourceVersion":"7"},"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"1m","memory":"1Ki"}}}]}}"#
        )
    }

    @Test func aBucketLimits() {
        var now = Instant(nanoseconds: 0)
        var bucket = TokenBucket(2, every: .seconds(10), now: now)
        #expect(bucket.take(now: now) == nil)
        #expect(bucket.take(now: now) == nil)
        let wait = bucket.take(now: now)
        #expect(wait.map { $0 > .seconds(9) } == true)
        now = now + .seconds(5)
        #expect(bucket.take(now: now) != nil)
        now = now + .seconds(6)
        #expect(bucket.take(now: now) == nil)
        now = now + .seconds(3600)
        #expect([bucket.take(now: now), bucket.take(now: now)] == [nil, nil])
        #expect(bucket.take(now: now) != nil)
    }
}
