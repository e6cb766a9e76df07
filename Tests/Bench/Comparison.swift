import Commands
import Foundation
import Measure
import TestNode

/// Two builds of the shim side by side, each on a node of its own, taking turns: what a change gains. With WAKE, ours
/// has that value of the annotation `wake`; with ENCRYPT=1 both have a disk of their own for images, and ours encrypts them.
struct Comparison {
    let ours: TestNode
    let control: TestNode
    let rounds: Int

    static func run(shim: URL, control: URL, rounds: Int, _ report: Report) async throws {
        let node = try await TestNode.up("bench", shim: shim)
        do {
            let other = try await TestNode.up("bench-control", shim: control)
            do {
                let comparison = Comparison(ours: node, control: other, rounds: rounds)
                if environment["ENCRYPT"] != nil { try await comparison.encrypt() }
                for application in Application.small { try await comparison.run(application, report) }
            } catch {
                try? await TestNode.down("bench-control")
                throw error
            }
            try await TestNode.down("bench-control")
        } catch {
            try? await TestNode.down("bench")
            throw error
        }
        try await TestNode.down("bench")
    }

    private func encrypt() async throws {
        for node in [ours, control] { try await node.mountDisk(thatEncrypts: true, megabytes: 2048) }
        try await ours.shell("echo encrypt-images = on >>/etc/zeropod/node.conf")
    }

    private struct Side {
        let side: Report.Side
        let pod: Pod
        let container: Container
        let log: ShimLog
        let client: TimedClient
    }

    private func run(_ application: Application, _ report: Report) async throws {
        var sides: [Side] = []
        for (side, node) in [(Report.Side.ours, ours), (.control, control)] {
            var annotations = ["zeropod.ctrox.dev/scaledown-duration": "200ms"]
            if side == .ours { annotations["zeropod.ctrox.dev/wake"] = environment["WAKE"] }
            let pod = try await node.runPod("compared", runtime: .zeropod, annotations: annotations)
            let container = try await pod.start(
                application.name, image: application.image, command: application.command)
            let client = TimedClient(namespace: "\(node.root)/run/netns/client")
            sides.append(Side(side: side, pod: pod, container: container, log: ShimLog(of: pod), client: client))
        }
        // Round 0 fills caches and is not counted.
        for round in 0...rounds {
            for one in round % 2 == 0 ? sides : sides.reversed() {
                let sleep = try await one.log.await(.asleep, round + 1, of: one.container.id)
                let cost = try await ShimCost(ofPod: one.pod.id)
                let wake = try await application.ask(one.client, one.pod.ip4)
                guard round > 0 else { continue }
                await report.note("wake/\(application.name)", "ms", one.side, wake)
                await report.note("sleep/\(application.name)", "ms", one.side, sleep.milliseconds)
                await report.note("shim-private/asleep", "kB", one.side, cost.privateKilobytes)
                await report.note("shim-rss/asleep", "kB", one.side, cost.residentKilobytes)
            }
            // Each sleeps again before the other's next turn, so that only one of them works at a time.
            for one in sides { _ = try await one.log.await(.asleep, round + 2, of: one.container.id) }
        }
        for one in sides { try await one.pod.delete() }
    }
}
