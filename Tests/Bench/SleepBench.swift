import Commands
import Foundation
import Measure
import TestNode

extension Entry {
    static let httpd = sleeping(.httpd, also: ["sleep/httpd"] + ShimCost.rows, isQuick: true)
    static let nginx = sleeping(.nginx)
    static let redis = sleeping(.redis)
    static let python = sleeping(.python)
    static let megabytes256 = sleeping(.memory(megabytes: 256), also: ["sleep/256MB"])
    static let files2000 = sleeping(.files(2000))
    static let connections200 = sleeping(.connections(200), also: ["sleep/200-connections"])
    static let gigabyte = sleeping(.memory(megabytes: 1024))

    /// All of the memory is read once after the wake.
    static let gigabyteTouched = Entry(rows: ["touch/1GB"]) { bench in
        try await SleepBench(bench: bench, application: .memory(megabytes: 1024, all: true)).run(wake: "touch/1GB")
    }

    private static func sleeping(
        _ application: Application, also more: [String] = [], isQuick: Bool = false
    ) -> Entry {
        let name = application.name
        return Entry(rows: ["wake/\(name)"] + more, isQuick: isQuick) { bench in
            try await SleepBench(bench: bench, application: application).run(
                wake: "wake/\(name)", sleep: more.contains("sleep/\(name)") ? "sleep/\(name)" : nil,
                shim: more.contains("threads/asleep"))
        }
    }
}

/// Sleep and wake of one application, beside `runc checkpoint` and `runc restore`, and what the shims hold meanwhile.
struct SleepBench {
    let bench: Bench
    let application: Application
    var annotations: [String: String] = [:]
    var hasControl = true

    private static let patience = Duration.seconds(180)

    /// Notes the times under these names.
    func run(wake wakeRow: String, sleep sleepRow: String? = nil, shim: Bool = false) async throws {
        let (client, report, rounds) = (bench.client, bench.report, bench.rounds)
        let settings = annotations.merging(["zeropod.ctrox.dev/scaledown-duration": "300ms"]) { own, _ in own }
        let pod = try await bench.node.runPod("ours", runtime: .zeropod, annotations: settings)
        let container = try await pod.start(application.name, image: application.image, command: application.command)
        let control = hasControl ? try await Control.start(application, on: bench.node) : nil
        for ip in [pod.ip4, control?.pod.ip4].compactMap({ $0 }) {
            _ = try await eventually("\(application.name) answers", within: Self.patience) {
                try await application.ask(client, ip)
            }
        }
        let log = ShimLog(of: pod)
        // The first questions may have woken it already.
        let sleeps = try await eventually("\(application.name) sleeps", within: Self.patience) {
            let changes = log.changes(of: container.id)
            return changes.last?.kind == .asleep ? changes.count { $0.kind == .asleep } : nil
        }
        // Round 0 fills caches and is not counted.
        for round in 0...rounds {
            let asleep = try await ShimCost(ofPod: pod.id)
            let wake = try await application.ask(client, pod.ip4)
            let running = try await ShimCost(ofPod: pod.id)
            // Ours sleeps again before the control's turn, so that only one of them works at a time.
            let sleep = try await log.await(
                .asleep, sleeps + round + 1, of: container.id, within: Self.patience)
            if round > 0 {
                await report.note(wakeRow, "ms", .ours, wake)
                if let sleepRow { await report.note(sleepRow, "ms", .ours, sleep.milliseconds) }
            }
            guard let control else { continue }
            let controlSleep = try await control.sleep()
            let controlWake = try await control.wake(client)
            let stock = try await ShimCost(ofPod: control.pod.id)
            guard round > 0 else { continue }
            await report.note(wakeRow, "ms", .control, controlWake)
            if let sleepRow { await report.note(sleepRow, "ms", .control, controlSleep) }
            if shim { await note(running: running, asleep: asleep, stock: stock) }
        }
        try await control?.remove()
        try await pod.delete()
    }

    /// The stock shim's container cannot sleep, so it stands beside both of our states.
    private func note(running: ShimCost, asleep: ShimCost, stock: ShimCost) async {
        let report = bench.report
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
