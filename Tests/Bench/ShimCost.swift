import Measure
import TestNode

/// What a pod's shim and its stand-ins hold at the moment.
struct ShimCost {
    let privateKilobytes: Double
    let residentKilobytes: Double
    let threads: Double

    static let rows = ["shim-private/running", "shim-private/asleep", "shim-rss/asleep", "threads/asleep"]

    struct NoShim: Error {}

    init(ofPod id: String) async throws {
        let processes = try Self.processes(ofPod: id)
        let memory = processes.compactMap(ProcessMemory.init(of:)).reduce(into: ProcessMemory()) { $0 += $1 }
        privateKilobytes = Double(memory.privateDirty) / 1000
        residentKilobytes = Double(memory.resident) / 1000
        threads = Double(processes.map(Processes.threads).reduce(0, +))
    }

    /// The shim first.
    static func processes(ofPod id: String) throws -> [Int] {
        guard let pid = Processes.shim(ofPod: id) else { throw NoShim() }
        return [pid] + Processes.standIns(of: pid)
    }
}

extension Entry {
    /// A shim that has no container yet.
    static let sandbox = Entry(rows: ["shim-private/sandbox"], isQuick: true) { bench in
        for _ in 1...bench.rounds {
            for (side, runtime) in [(Report.Side.ours, Runtime.zeropod), (.control, .runc)] {
                let pod = try await bench.node.runPod("sandbox", runtime: runtime)
                let cost = try await ShimCost(ofPod: pod.id)
                await bench.report.note("shim-private/sandbox", "kB", side, cost.privateKilobytes)
                try await pod.delete()
            }
        }
    }
}
