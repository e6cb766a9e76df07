import CRI
import Measure
import TestNode

extension Entry {
    /// CreateContainer and StartContainer, in a pod that is there.
    static let start = Entry(rows: ["start"], isQuick: true) { bench in
        let sides = [
            (Report.Side.ours, try await bench.node.runPod("start", runtime: .zeropod)),
            (.control, try await bench.node.runPod("start", runtime: .runc)),
        ]
        // Round 0 fills caches and is not counted.
        for round in 0...bench.rounds {
            for (side, pod) in round % 2 == 0 ? sides : sides.reversed() {
                var container: Container?
                let took = try await bench.milliseconds {
                    container = try await pod.start("idle", image: "busybox", command: Application.idleCommand)
                }
                if round > 0 { await bench.report.note("start", "ms", side, took) }
                try await container?.stop(timeout: 0)
                try await container?.remove()
            }
        }
        for (_, pod) in sides { try await pod.delete() }
    }

    /// An exec that must wake the container first, beside one of the stock shim in a container that runs.
    static let execAsleep = Entry(rows: ["exec-asleep"], isQuick: true) { bench in
        let annotations = ["zeropod.ctrox.dev/scaledown-duration": "300ms"]
        let httpd = Application.httpd
        let ours = try await bench.node.runPod("exec", runtime: .zeropod, annotations: annotations)
        let container = try await ours.start("exec", image: httpd.image, command: httpd.command)
        let stock = try await bench.node.runPod("exec", runtime: .runc)
        let control = try await stock.start("exec", image: httpd.image, command: httpd.command)
        let log = ShimLog(of: ours)
        for round in 0...bench.rounds {
            _ = try await log.await(.asleep, round + 1, of: container.id, within: .seconds(60))
            let asleep = try await bench.milliseconds { _ = try await container.exec("true") }
            let running = try await bench.milliseconds { _ = try await control.exec("true") }
            guard round > 0 else { continue }
            await bench.report.note("exec-asleep", "ms", .ours, asleep)
            await bench.report.note("exec-asleep", "ms", .control, running)
        }
        for pod in [ours, stock] { try await pod.delete() }
    }
}
