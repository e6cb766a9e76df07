import StatusAPI
import Testing

@testable import Node

@Suite struct StatusTableTests {
    private let sleeping = FoundContainer(
        socket: "/run/zeropod/s/a.sock",
        report: ContainerReport {
            $0.id = "0123456789abcdef"
            $0.podNamespace = "shop"
            $0.podName = "web-1"
            $0.containerName = "nginx"
            $0.state = .asleep
            $0.since = .init(seconds: 1000, nanoseconds: 0)
            $0.imageBytes = 3 << 20
            $0.memoryGivenBack = 17 << 20
            $0.restores = Durations {
                $0.count = 2
                $0.lastNanoseconds = 12_345_678
            }
        })
    private let busy = FoundContainer(
        socket: "/run/zeropod/s/b.sock",
        report: ContainerReport {
            $0.id = "fedcba9876543210"
            $0.state = .running
            $0.reasons = ["an exec or another request is using it", "it is paused"]
        })

    @Test func tableSaysWhatSleepsAndWhy() {
        let lines = StatusTable([sleeping, busy], now: 1090).text().split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("CONTAINER"))
        let words = lines[1].split(separator: " ").map(String.init)
        #expect(words.prefix(7) == ["shop/web-1/nginx", "asleep", "90s", "0x", "12ms", "17M", "3M"])
        #expect(lines[2].hasPrefix("fedcba9876543210  running"))
        #expect(lines[2].hasSuffix("  an exec or another request is using it; it is paused"))
    }

    @Test func aNarrowWindowHasReasonsOnTheirOwnLines() {
        var named = busy.report
        (named.podNamespace, named.podName, named.containerName) = ("monitoring", "alerts-6f7d9c5b8-q7xkp", "gateway")
        named.reasons = ["the last checkpoint failed: Connected TCP socket, consider using --tcp-established option"]
        let table = StatusTable([sleeping, FoundContainer(socket: "", report: named)], now: 1090)
        let lines = table.text(width: 80).split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines)")
        #expect(lines.count == 6)
        #expect(lines[2] == "  nobody needs it; it has not been woken yet")
        #expect(lines[3].hasPrefix("monitoring/alerts-6f7d9c5b8-q7xkp/gateway  running"))
        #expect(lines[4].hasPrefix("  the last checkpoint failed: Connected TCP"))
        #expect(lines[5] == "  --tcp-established option")

        let tiny = table.text(width: 50).split(separator: "\n").map(String.init)
        #expect(tiny.allSatisfy { $0.count <= 50 }, "\(tiny)")
        #expect(tiny[3].contains("…") && tiny[3].contains("/gateway  running"))
        // Wide enough, or no window at all.
        #expect(table.text(width: 300) == table.text())
        #expect(table.text().split(separator: "\n").count == 3)
    }

    @Test func aFrozenContainerIsTold() {
        var report = sleeping.report
        (report.state, report.freezes, report.imageBytes, report.memoryGivenBack) = (.frozen, 4, 0, 0)
        report.reasons = ["its last checkpoint failed: criu dump failed\nand more"]
        let frozen = FoundContainer(socket: "/run/zeropod/s/a.sock", report: report)
        let words = StatusTable([frozen], now: 1090).text().split(separator: "\n")[1].split(separator: " ")
        #expect(words.prefix(7) == ["shop/web-1/nginx", "frozen", "90s", "4x", "-", "-", "-"])
        #expect(words.dropFirst(7).joined(separator: " ") == "its last checkpoint failed: criu dump failed")
        report.reasons = []
        let asked = FoundContainer(socket: "/run/zeropod/s/a.sock", report: report)
        #expect(StatusTable([asked], now: 1090).text().hasSuffix("  zeropod.ctrox.dev/sleep is freeze"))
    }

    /// A line each, whatever CRIU's log has.
    @Test func reasonsOfSeveralLinesDoNotBreakTheTable() {
        var failed = busy.report
        failed.reasons = ["its last checkpoint failed: it has an io_uring; its log ends:\n(00.1) Error\n(00.2) more"]
        let lines = StatusTable([FoundContainer(socket: "", report: failed), busy], now: 1090).text()
            .split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasSuffix("  its last checkpoint failed: it has an io_uring"))
    }

    @Test func whoUsesItAndWokeItIsSaid() {
        var report = sleeping.report
        report.lastWake = CallerReport {
            ($0.words, $0.at) = ("a connection from 10.0.0.5:4242 to port 80", .init(seconds: 790, nanoseconds: 0))
        }
        let woken = "woken last 5m ago by a connection from 10.0.0.5:4242 to port 80"
        #expect(report.why(now: 1090) == "nobody needs it; \(woken)")
        report.state = .frozen
        #expect(report.why(now: 1090) == "zeropod.ctrox.dev/sleep is freeze; \(woken)")
        (report.state, report.scaleDownAfter) = (.running, 60_000_000_000)
        #expect(report.why(now: 1090) == "nobody has used it yet; it sleeps after 60s without use")
        (report.lastUse, report.lastUsePort) = (.init(seconds: 1078, nanoseconds: 0), 80)
        report.lastUser = CallerReport { ($0.peer, $0.port) = ("10.0.0.7:999", 80) }
        let used = "over the connection from 10.0.0.7:999 to port 80"
        #expect(report.why(now: 1090) == "used 12s ago at port 80, \(used); it sleeps after 60s without use")
        report.reasons = ["it has not answered a request yet"]
        #expect(report.why(now: 1090) == "it has not answered a request yet; used last \(used)")
        report.lastUser = CallerReport { ($0.peer, $0.port, $0.isOutgoing) = ("10.0.0.9:5432", 5432, true) }
        #expect(report.why(now: 1090).hasSuffix("used last over its own connection to 10.0.0.9:5432"))
    }

    @Test func theReasonIsNeverEmpty() {
        for state in (0...8).map(ContainerState.init) {
            let report = ContainerReport { ($0.state, $0.reasons) = (state, [""]) }
            #expect(!report.why(now: 1090).isEmpty)
        }
    }

    @Test func sleepAndWakeSayWhatTheyDid() {
        let title = "shop/web-1/nginx"
        var (awake, asleep) = (sleeping.report, sleeping.report)
        (awake.state, awake.memoryGivenBack) = (.running, 0)
        asleep.checkpoints = Durations { $0.count = 3 }
        let sleep = { SleepCommand.outcome(.sleep, of: $0, $1) }
        #expect(sleep(awake, asleep) == "\(title) is asleep: 17M of memory are free, its images have 3M")
        #expect(sleep(asleep, asleep) == "\(title) was asleep already")
        let wake = { SleepCommand.outcome(.wake, of: $0, $1) }
        #expect(wake(awake, awake) == "\(title) was awake already")
        var woken = awake
        woken.restores = Durations { ($0.count, $0.lastNanoseconds) = (3, 31_000_000) }
        #expect(wake(sleeping.report, woken) == "\(title) is awake: to restore it took 31ms")
        var thawed = awake
        thawed.thaws = 1
        #expect(wake(awake, thawed) == "\(title) is awake")
    }

    @Test func containersAreMeantByIDItsBeginningOrTitle() {
        func meant(_ text: String) -> [String] {
            FoundContainer.meant(by: text, among: [busy, sleeping]).map(\.report.id)
        }
        #expect(meant("0123") == [sleeping.report.id])
        #expect(meant("shop/web-1/nginx") == [sleeping.report.id])
        #expect(meant("shop/web-1") == [])
        #expect(meant("") == [])
    }

    @Test func aWholeIDIsNotTheBeginningOfAnother() {
        let containers = ["web", "web-2", "worker"].map { id in
            FoundContainer(socket: "", report: ContainerReport { $0.id = id })
        }
        func meant(_ text: String) -> [String] {
            FoundContainer.meant(by: text, among: containers).map(\.report.id)
        }
        #expect(meant("web") == ["web"])
        #expect(meant("web-") == ["web-2"])
        #expect(meant("w") == ["web", "web-2", "worker"])
    }

    @Test(arguments: [
        (["sleep"], "zeropod sleep: which container?"), (["doze"], "zeropod: there is no verb 'doze'"),
        (["status", "--yaml"], "zeropod status: '--yaml' is one word too many"),
        (["wake", "a", "b"], "zeropod wake: 'b' is one word too many"),
    ]) func mistakesAreNamed(_ arguments: [String], _ complaint: String) throws {
        let error = #expect(throws: UsageError.self) { try Action(arguments) }
        #expect(error?.description == complaint)
    }
}
