import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// What a pod may cost its node, where the operator has said nothing or little.
    @Suite struct AccountTests {
        /// Asleep and awake a thousand times a second would be the node's processor, not the pod's.
        @Test func idleTimesHaveAFloor() async throws {
            let node = try await node(.current)
            try await node.withPolicy("") {
                let error = await #expect(throws: CallFailed.self) {
                    try await node.runPod("hasty", runtime: .zeropod, annotations: sleepy(after: "1ms")).delete()
                }
                #expect(error?.message.contains("less than the 1000ms that this node allows") == true)
                for sandbox in try await node.cri.listPodSandboxes() {
                    try await node.cri.stopPodSandbox(sandbox)
                    try await node.cri.removePodSandbox(sandbox)
                }
            }
        }

        /// What CRIU does for a sleep the pod pays for, and as slowly as its limit says. Held, the stand-in for it works in its
        /// place; the container's own process does nothing meanwhile.
        @Test func aDumpIsOnThePodsAccount() async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                try await node.holdCRIU()
                try await node.withSleepyPod("payer") { pod in
                    let server = try await pod.start("server", image: "python") { $0.resources.cpuQuota = 10_000 }
                    try await server.awaitCheckpointBegin()
                    try await node.lettingCRIUGo {
                        let account = try await ProcessorAccount(of: server)
                        let (before, own) = (try await account.used(), try await account.usedByItself())
                        try await eventually("the container's cgroup has used 50 ms more") {
                            try await account.used() > before + 50_000_000
                        }
                        #expect(try await account.usedByItself() <= own + 1)
                        // Else it would be taken for one of the container's processes.
                        #expect(try await server.processes().count == 1)
                    }
                    for cycle in 1...3 {
                        try await server.awaitSleep(cycle)
                        let answer = try await node.get(pod.ip4, port: 8080).json(ServerState.self)
                        #expect(answer.counter == cycle)
                    }
                }
            }
        }

        @Test func aPodSleepsSoOftenAndNoMore() async throws {
            let node = try await node(.current)
            try await node.withPolicy("shortest-idle = 100ms\\nsleeps-per-minute = 2\\n") {
                try await node.withSleepyPod("restless") { pod in
                    let server = try await pod.start("server", image: "python")
                    for cycle in 1...2 {
                        try await server.awaitSleep(cycle)
                        #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                    }
                    try await server.awaitShimLog("its pod has slept 2 times within a minute")
                    #expect(
                        try await server.sleepReport().reasons.contains { $0.contains("its pod has slept 2 times") })
                    try await server.expectSleeps(2)
                }
            }
        }

        /// Memory that is open like a file (memfd_create) is in the images as well as that of the processes.
        @Test func imagesAreCountedBeforeTheyAreWritten() async throws {
            let node = try await node(.current)
            try await node.withPolicy("shortest-idle = 100ms\\npod-images = 67108864\\n") {
                try await node.withSleepyPod("hoarder") { pod in
                    let hoard =
                        "import os,sys; f=open(os.memfd_create('h'),'wb'); f.write(b'x'*(200<<20)); f.flush();"
                        + " sys.argv=['s']; exec(open('/usr/bin/server.py').read())"
                    let server = try await pod.start("server", image: "python", command: ["python3", "-c", hoard])
                    try await server.awaitShimLog("are too large for the pod, which may have 64 MB")
                    try await server.expectSleeps(0)
                    #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                }
            }
        }

        /// All sleepers are called at once: they wake one after the other, and each client is answered.
        @Test func wakesPassAGate() async throws {
            let node = try await node(.current)
            try await node.withPolicy("shortest-idle = 100ms\\nwakes-at-once = 1\\n") {
                try await node.withStandInForCRIU {
                    try await node.withSleepyPod("first", after: "1s") { one in
                        try await node.withSleepyPod("second", after: "1s") { two in
                            let first = try await one.start("server", image: "python")
                            let second = try await two.start("server", image: "python")
                            try await first.awaitSleep()
                            try await second.awaitSleep()
                            try await node.holdCRIU()
                            try await node.lettingCRIUGo {
                                async let one = node.get(one.ip4, port: 8080, from: .outside)
                                try await eventually("the first one wakes") {
                                    try await first.sleepReport().state == "restoring"
                                }
                                async let two = node.get(two.ip4, port: 8080, from: .outside)
                                try await eventually("the second one waits for its turn") {
                                    try await second.sleepReport().waitsForItsTurn
                                }
                                #expect(try await !first.sleepReport().waitsForItsTurn)
                                try await node.letCRIUGo()
                                #expect(try await one.code == 200)
                                #expect(try await two.code == 200)
                            }
                            #expect(try await second.sleepReport().wakesInTurn == 1)
                            #expect(try await first.sleepReport().wakesInTurn == 0)
                        }
                    }
                }
            }
        }

        /// Whoever waits for its turn may be ended, and others go on.
        @Test func whoWaitsMayBeEnded() async throws {
            let node = try await node(.current)
            try await node.withPolicy("shortest-idle = 100ms\\nwakes-at-once = 1\\n") {
                try await node.withStandInForCRIU {
                    try await node.withSleepyPod("first", after: "1s") { one in
                        let first = try await one.start("server", image: "python")
                        try await first.awaitSleep()
                        try await node.withSleepyPod("second", after: "1s") { two in
                            let second = try await two.start("server", image: "python")
                            try await second.awaitSleep()
                            try await node.holdCRIU()
                            try await node.lettingCRIUGo {
                                let call = Task { try? await node.get(one.ip4, port: 8080, from: .outside) }
                                try await eventually("the first one wakes") {
                                    try await first.sleepReport().state == "restoring"
                                }
                                let other = Task { try? await node.get(two.ip4, port: 8080, from: .outside) }
                                try await eventually("the second one waits") {
                                    try await second.sleepReport().waitsForItsTurn
                                }
                                try await second.stop(timeout: 0)
                                #expect(try await second.awaitExit().exitCode == 137)
                                _ = await other.value
                                try await node.letCRIUGo()
                                #expect(await call.value?.code == 200)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Processor time of a container of one process, which is awake.
private struct ProcessorAccount {
    private let node: TestNode
    private let pid: Int

    init(of server: Container) async throws {
        node = server.pod.node
        pid = try await server.pid()
    }

    /// Nanoseconds, of all that is in its cgroup.
    func used() async throws -> Int {
        let script = """
            while IFS=: read -r number controllers path; do
                case $number,$controllers in
                *,cpuacct | *,cpuacct,* | *,*,cpuacct) cat "/sys/fs/cgroup/cpuacct$path/cpuacct.usage" ;;
                0,) awk '/^usage_usec / { print $2 * 1000 }' "/sys/fs/cgroup$path/cpu.stat" ;;
                esac
            done </proc/\(pid)/cgroup 2>/dev/null | sort -n | tail -n 1
            """
        return Int(try await node.shell(script).trimmed) ?? 0
    }

    /// Clock ticks of the process.
    func usedByItself() async throws -> Int {
        Int(try await node.shell("sed 's/.*) //' /proc/\(pid)/stat | awk '{ print $12 + $13 }'").trimmed) ?? 0
    }
}
