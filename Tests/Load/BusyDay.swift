import CRI
import Commands
import Foundation
import Measure
import TestNode

/// The pods of the day, their probes and their clients.
struct BusyDay {
    let node: TestNode
    let seconds: Int
    let processes: Int
    let sleepers: Int

    private static let atWorkInAPod = 5
    /// As soon as may be, so that each call wakes.
    private static let idle = "1s"
    /// Each pod has a group of its own below this one, as a kubelet makes them: containerd gives a sandbox the smallest part
    /// of the processors that there is, which is meant to be one within its pod.
    static let cgroups = "/kubepods"
    /// Of all sleepers every sixth keeps its part of the processors.
    private static let unscaled = 6

    struct Result {
        let table: String
        /// Sleepers of which nothing was wrong.
        let passed: Int
        let problems: [String]
    }

    /// What there was of a sleeper before the day began.
    private struct Before {
        var wakes = 0
        /// Of the shim's log.
        var lines = 0
    }

    func run() async throws -> Result {
        let all = try await startSleepers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sleeper in all { group.addTask { try await sleeper.awaitAnswersAsleep() } }
            try await group.waitForAll()
        }
        var before: [String: Before] = [:]
        for sleeper in all {
            let container = sleeper.container
            before[container.id] = Before(
                wakes: try await container.sleepReport().restores.count, lines: try container.shimLog().count)
        }
        var busy: [Pod] = []
        for number in 0..<(processes + Self.atWorkInAPod - 1) / Self.atWorkInAPod {
            busy.append(try await startBusyPod(min(Self.atWorkInAPod, processes - number * Self.atWorkInAPod)))
        }
        let end = ContinuousClock.now + .seconds(seconds)
        let view = StatusView(of: node)
        let counts = try await withThrowingTaskGroup(of: Counts.self) { group in
            group.addTask {
                try await view.follow(until: end)
                return Counts()
            }
            for sleeper in all {
                group.addTask { await sleeper.probe(until: end) }
                group.addTask { await sleeper.call(until: end, view) }
            }
            return try await group.reduce(into: Counts()) { $0.add($1) }
        }
        let load = try await node.run("cat", "/proc/loadavg").trimmed
        for pod in busy { try await pod.delete() }
        var problems = counts.verdict
        var passed = 0
        for sleeper in all {
            let id = sleeper.container.id
            let found = try await look(at: sleeper, counts.calls[id] ?? 0, since: before[id] ?? Before())
            if found.isEmpty { passed += 1 }
            problems += found
            try await sleeper.container.pod.delete()
        }
        return Result(table: counts.table(load: load), passed: passed, problems: problems)
    }

    private func startSleepers() async throws -> [Sleeper] {
        var all: [Sleeper] = []
        for number in 0..<sleepers {
            let pod = try await node.runPod(
                "sleeper", runtime: .zeropod, annotations: ["zeropod.ctrox.dev/scaledown-duration": Self.idle],
                adjust: Self.inOwnGroup)
            let container = try await pod.start("web", image: "nginx")
            all.append(try await Sleeper(container, isScaled: number % Self.unscaled != 0))
        }
        return all
    }

    private static func inOwnGroup(_ config: inout PodConfig) { config.cgroupParent = "\(cgroups)/\(config.name)" }

    private func startBusyPod(_ processes: Int) async throws -> Pod {
        let pod = try await node.runPod("busy", runtime: .runc, adjust: Self.inOwnGroup)
        let loop = "i=0; while [ $i -lt \(processes) ]; do (while :; do :; done) & i=$((i + 1)); done; wait"
        _ = try await pod.start("work", image: "busybox", command: ["sh", "-c", loop])
        return pod
    }

    /// What was wrong with a sleeper.
    private func look(at sleeper: Sleeper, _ calls: Int, since before: Before) async throws -> [String] {
        let container = sleeper.container
        let name = container.pod.config.name
        let report = try await container.sleepReport()
        var problems: [String] = []
        if try await container.status().state != .running { problems.append("\(name): it has ended") }
        let wakes = report.restores.count - before.wakes
        if wakes > calls { problems.append("\(name): woken \(wakes) times, and called \(calls) times") }
        if wakes == 0 { problems.append("\(name): it never woke") }
        for line in try container.shimLog().dropFirst(before.lines) {
            // A probe that was taken for a client.
            if line.contains(" (from 10.88.0.1:") && line.contains(" wakes: ") { problems.append("\(name): \(line)") }
            if line.contains("level=error") { problems.append("\(name): \(line)") }
        }
        return problems
    }
}
