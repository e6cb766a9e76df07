import Commands
import Foundation
import Measure
import TestNode

/// Sleep and wake of one application, and what its shim holds in each state.
struct SleepBench {
    let node: TestNode
    let application: Application
    let rounds: Int

    func run(_ report: Report) async throws {
        let client = TimedClient(namespace: "\(node.root)/run/netns/client")
        let pod = try await node.runPod(
            "ours", runtime: .zeropod, annotations: ["zeropod.ctrox.dev/scaledown-duration": "500ms"])
        let container = try await pod.start(application.name, image: application.image, command: application.command)
        let control = try await Control.start(application, on: node)
        for ip in [pod.ip4, control.pod.ip4] {
            _ = try await eventually("\(application.name) answers") { try await client.get(ip, port: 80) }
        }
        let log = ShimLog(of: node)
        // Round 0 fills caches and is not counted.
        for round in 0...rounds {
            if isatty(STDERR_FILENO) == 1 { tell("\r\(application.name): round \(round) of \(rounds)") }
            let sleep = try await log.await(.asleep, round + 1, of: container.id)
            let asleep = try await ShimCost(ofPod: pod.id)
            let wake = try await client.get(pod.ip4, port: 80)
            let running = try await ShimCost(ofPod: pod.id)
            // Ours sleeps again before the control's turn, so that only one of them works at a time.
            _ = try await log.await(.asleep, round + 2, of: container.id)
            let controlSleep = try await control.sleep()
            let controlWake = try await control.wake(client)
            let stock = try await ShimCost(ofPod: control.pod.id)
            guard round > 0 else { continue }
            await report.note("wake/\(application.name)", "ms", .ours, wake.seconds * 1000)
            await report.note("wake/\(application.name)", "ms", .control, controlWake)
            await report.note("sleep/\(application.name)", "ms", .ours, sleep.milliseconds)
            await report.note("sleep/\(application.name)", "ms", .control, controlSleep)
            await note(running: running, asleep: asleep, stock: stock, report)
        }
        tell("\r\(application.name): \(rounds) rounds done\n")
        try await control.remove()
        try await pod.delete()
    }

    private func tell(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// The stock shim's container cannot sleep, so it stands beside both of our states.
    private func note(running: ShimCost, asleep: ShimCost, stock: ShimCost, _ report: Report) async {
        await report.note("shim-private/running", "kB", .ours, running.privateKilobytes)
        await report.note("shim-private/running", "kB", .control, stock.privateKilobytes)
        await report.note("shim-private/asleep", "kB", .ours, asleep.privateKilobytes)
        await report.note("shim-private/asleep", "kB", .control, stock.privateKilobytes)
        await report.note("shim-rss/asleep", "kB", .ours, asleep.residentKilobytes)
        await report.note("shim-rss/asleep", "kB", .control, stock.residentKilobytes)
        await report.note("threads/asleep", "", .ours, asleep.threads)
        await report.note("threads/asleep", "", .control, stock.threads)
    }
}

/// What a pod's shim and its stand-ins hold at the moment.
struct ShimCost {
    let privateKilobytes: Double
    let residentKilobytes: Double
    let threads: Double

    struct NoShim: Error {}

    init(ofPod id: String) async throws {
        guard let pid = Processes.shim(ofPod: id), var memory = ProcessMemory(of: pid) else { throw NoShim() }
        for standIn in Processes.standIns(of: pid).compactMap(ProcessMemory.init(of:)) { memory += standIn }
        privateKilobytes = Double(memory.privateDirty) / 1000
        residentKilobytes = Double(memory.resident) / 1000
        threads = Double(Processes.threads(of: pid))
    }
}
