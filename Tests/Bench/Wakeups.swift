import Commands
import Foundation
import Measure
import TestNode

extension Entry {
    /// How often shims wake up in a minute in which nobody wants anything: a pod for each round, all in the same minute.
    /// The control is the stock shim beside a running container; it has no other state.
    static let wakeups = Entry(rows: ["wakeups/asleep", "wakeups/idle"]) { bench in
        try await bench.withNode("bench-quiet") { node in try await countWakeups(bench, node) }
    }

    private static func countWakeups(_ bench: Bench, _ node: TestNode) async throws {
        let asleep = try await pods(bench.rounds, node, .zeropod, idleFor: "300ms")
        let idle = try await pods(bench.rounds, node, .zeropod, idleFor: "1h")
        let stock = try await pods(bench.rounds, node, .runc, idleFor: "1h")
        for (pod, container) in asleep {
            _ = try await ShimLog(of: pod).await(.asleep, 1, of: container.id, within: .seconds(60))
        }
        // The last has found its port: what follows is the long silence.
        for (_, container) in idle { try await container.awaitShimLog("watching ports [80]") }
        let all = (asleep + idle + stock).map(\.pod.id)
        // Their own work after the start or the checkpoint is done when no count has changed for some seconds. If that
        // never happens, it shows in the numbers.
        var before = try all.map(count)
        _ = try? await eventually("the shims are quiet", within: .seconds(60), every: .seconds(3)) {
            let now = try all.prefix(asleep.count + idle.count).map(count)
            defer { before = now }
            return now == before.prefix(now.count).map { $0 }
        }
        before = try all.map(count)
        try await Task.sleep(for: .seconds(60))
        let counts = zip(try all.map(count), before).map { Double($0 - $1) }
        for (index, value) in counts.enumerated() {
            switch index {
            case ..<asleep.count: await bench.report.note("wakeups/asleep", "", .ours, value)
            case ..<(asleep.count + idle.count): await bench.report.note("wakeups/idle", "", .ours, value)
            default:
                for row in ["wakeups/asleep", "wakeups/idle"] { await bench.report.note(row, "", .control, value) }
            }
        }
    }

    private static func count(_ id: String) throws -> Int {
        try ShimCost.processes(ofPod: id).map(Processes.switches).reduce(0, +)
    }

    private static func pods(
        _ count: Int, _ node: TestNode, _ runtime: Runtime, idleFor duration: String
    ) async throws -> [(pod: Pod, container: Container)] {
        var pods: [(pod: Pod, container: Container)] = []
        for _ in 1...count {
            let annotations = ["zeropod.ctrox.dev/scaledown-duration": duration]
            let pod = try await node.runPod("quiet", runtime: runtime, annotations: annotations)
            let httpd = Application.httpd
            pods.append((pod, try await pod.start(httpd.name, image: httpd.image, command: httpd.command)))
        }
        return pods
    }
}
