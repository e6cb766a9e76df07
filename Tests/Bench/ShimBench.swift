import CRI
import Commands
import Foundation
import Measure
import TestNode

/// What a shim costs beside sleeping: its start, its memory before there is a container, an exec, its file.
struct ShimBench {
    let node: TestNode
    let rounds: Int

    func run(_ report: Report) async throws {
        try await sandboxes(report)
        try await starts(report)
        try await execs(report)
        await sizes(report)
    }

    private func sandboxes(_ report: Report) async throws {
        for _ in 1...rounds {
            for runtime in [Runtime.zeropod, .runc] {
                let pod = try await node.runPod("sandbox", runtime: runtime)
                let cost = try await ShimCost(ofPod: pod.id)
                await report.note("shim-private/sandbox", "kB", side(runtime), cost.privateKilobytes)
                try await pod.delete()
            }
        }
    }

    private func starts(_ report: Report) async throws {
        let pods = [
            try await node.runPod("start", runtime: .zeropod), try await node.runPod("start", runtime: .runc),
        ]
        for round in 0...rounds {
            for (pod, runtime) in zip(pods, [Runtime.zeropod, .runc]) {
                let begin = ContinuousClock.now
                let container = try await pod.start("idle", image: "busybox", command: Application.idleCommand)
                let took = (ContinuousClock.now - begin).seconds * 1000
                if round > 0 { await report.note("start", "ms", side(runtime), took) }
                try await container.stop(timeout: 0)
                try await container.remove()
            }
        }
        for pod in pods { try await pod.delete() }
    }

    /// An exec that must wake the container first, beside one of the stock shim in a container that runs.
    private func execs(_ report: Report) async throws {
        let annotations = ["zeropod.ctrox.dev/scaledown-duration": "500ms"]
        let httpd = Application.all[1]
        let ours = try await node.runPod("exec", runtime: .zeropod, annotations: annotations)
        let container = try await ours.start("exec", image: httpd.image, command: httpd.command)
        let stock = try await node.runPod("exec", runtime: .runc)
        let control = try await stock.start("exec", image: httpd.image, command: httpd.command)
        let log = ShimLog(of: node)
        for round in 0...rounds {
            _ = try await log.await(.asleep, round + 1, of: container.id)
            let asleep = try await time { _ = try await container.exec("true") }
            let running = try await time { _ = try await control.exec("true") }
            guard round > 0 else { continue }
            await report.note("exec-asleep", "ms", .ours, asleep)
            await report.note("exec-asleep", "ms", .control, running)
        }
        for pod in [ours, stock] { try await pod.delete() }
    }

    private func sizes(_ report: Report) async {
        let files = [
            (Report.Side.ours, "/opt/zeropod/bin/containerd-shim-zeropod-v2"),
            (.control, "/usr/bin/containerd-shim-runc-v2"),
        ]
        for (side, path) in files {
            let size = try? FileManager.default.attributesOfItem(atPath: node.root + path)[.size] as? Int
            if let size { await report.note("binary-size", "kB", side, Double(size) / 1000) }
        }
    }

    private func side(_ runtime: Runtime) -> Report.Side { runtime == .zeropod ? .ours : .control }

    private func time(_ body: () async throws -> Void) async rethrows -> Double {
        let begin = ContinuousClock.now
        try await body()
        return (ContinuousClock.now - begin).seconds * 1000
    }
}
