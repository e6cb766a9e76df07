import Commands
import Foundation
import Measure
import TestNode

extension Entry {
    /// So many sleeping pods on one node (DENSITY says another number), then fifty of them woken at once. There is no
    /// control: the stock shim has no sleeping pods.
    static let density: Entry = {
        let pods = ProcessInfo.processInfo.environment["DENSITY"].flatMap { Int($0) } ?? 500
        let row = "density/\(pods)"
        let rows = [row] + ["creation", "pod-private", "shim-private"].map { "\(row)/\($0)" }
        return Entry(rows: rows) { bench in
            try await bench.withNode("bench-density") { node in
                try await Density(bench: bench, pods: pods, row: row).run(on: node)
            }
        }
    }()
}

struct Density {
    let bench: Bench
    let pods: Int
    let row: String

    private static let woken = 50
    /// Creating a pod is processor time of containerd, the network's plugins and runc: more at once would only wait.
    private static let atOnce = 4

    private struct Sleeper {
        let pod: Pod
        let container: Container
    }

    func run(on node: TestNode) async throws {
        let begin = ContinuousClock.now
        let sleepers = try await create(on: node)
        let took = (ContinuousClock.now - begin).seconds
        await bench.report.note("\(row)/creation", "s", .ours, took)
        tell("\(pods) pods after \(Int(took)) s\n")
        try await allAsleep(on: node)
        for sleeper in sleepers { try await note(sleeper) }
        // Spread over all, the first and the last among them.
        let chosen = (0..<min(Self.woken, pods)).map { sleepers[$0 * (pods - 1) / max(1, min(Self.woken, pods) - 1)] }
        let client = TimedClient(namespace: "\(node.root)/run/netns/client")
        let waking = ContinuousClock.now
        let times = try await withThrowingTaskGroup(of: Double.self) { group in
            for sleeper in chosen {
                group.addTask { try await Application.httpd.ask(client, sleeper.pod.ip4) }
            }
            return try await group.reduce(into: [Double]()) { $0.append($1) }
        }
        tell("\(times.count) woken and served within \(Int((ContinuousClock.now - waking).seconds * 1000)) ms\n")
        for time in times { await bench.report.note(row, "ms", .ours, time) }
        // None is lost: all of them sleep again.
        try await allAsleep(on: node)
    }

    private func create(on node: TestNode) async throws -> [Sleeper] {
        try await withThrowingTaskGroup(of: Sleeper.self) { group in
            var sleepers: [Sleeper] = []
            for number in 0..<pods {
                if number >= Self.atOnce, let sleeper = try await group.next() { sleepers.append(sleeper) }
                group.addTask {
                    let annotations = ["zeropod.ctrox.dev/scaledown-duration": "2s"]
                    let pod = try await node.runPod("dense", runtime: .zeropod, annotations: annotations)
                    let httpd = Application.httpd
                    let container = try await pod.start(httpd.name, image: httpd.image, command: httpd.command)
                    return Sleeper(pod: pod, container: container)
                }
            }
            return try await group.reduce(into: sleepers) { $0.append($1) }
        }
    }

    private func allAsleep(on node: TestNode) async throws {
        struct Status: Decodable { let state: String }
        try await eventually("all \(pods) sleep", within: .seconds(300), every: .seconds(3)) {
            let output = try await node.run("zeropod", "status", "--json", deadline: .seconds(60))
            let states = try JSONDecoder().decode([Status].self, from: output.stdout)
            return states.count == pods && states.allSatisfy { $0.state == "asleep" }
        }
    }

    /// What one more sleeping pod costs: its shim with the stand-in, and beside them the sandbox's process.
    private func note(_ sleeper: Sleeper) async throws {
        let shim = try await ShimCost(ofPod: sleeper.pod.id).privateKilobytes
        let sandbox = Processes.ofContainer(sleeper.pod.id).compactMap(ProcessMemory.init(of:))
        let all = sandbox.reduce(shim) { $0 + Double($1.privateDirty) / 1000 }
        await bench.report.note("\(row)/shim-private", "kB", .ours, shim)
        await bench.report.note("\(row)/pod-private", "kB", .ours, all)
    }
}
