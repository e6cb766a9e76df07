import Commands
import Foundation
import Measure
import TestNode

extension Entry {
    /// What a request waits that comes in the middle of a checkpoint, which is then given up or undone. The control is a
    /// request that wakes the same container.
    static let duringCheckpoint = Entry(rows: ["wake/during-checkpoint"]) { bench in
        let pod = try await bench.node.runPod(
            "during", runtime: .zeropod, annotations: ["zeropod.ctrox.dev/scaledown-duration": "500ms"])
        let container = try await pod.start("server", image: "python")
        // Memory makes a checkpoint long enough to be met in its middle.
        _ = try await eventually("the server answers") {
            try await bench.node.get(pod.ip4, port: 8080, path: "/allocate?mb=64")
        }
        let images = container.snapshot.appending(path: "images").path()
        // Round 0 fills caches and is not counted.
        for round in 0...bench.rounds {
            try await eventually("there are no images") { !FileManager.default.fileExists(atPath: images) }
            try await container.awaitCheckpointBegin()
            let during = try await bench.client.get(pod.ip4, port: 8080)
            try await container.awaitSleep(container.sleeps() + 1)
            let wake = try await bench.client.get(pod.ip4, port: 8080)
            guard round > 0 else { continue }
            await bench.report.note("wake/during-checkpoint", "ms", .ours, during.seconds * 1000)
            await bench.report.note("wake/during-checkpoint", "ms", .control, wake.seconds * 1000)
        }
        try await pod.delete()
    }
}
