// `make conformance`: the same tests with containerd's stock shim and with ours, side by side. It fails if a test fails
// with ours and not with stock; what fails with both is the machine's.
import Commands
import Foundation
import TestNode

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("conformance: \(text)\n".utf8))
    exit(1)
}

let environment = ProcessInfo.processInfo.environment
guard geteuid() == 0 else { fail("needs root: sudo make conformance") }
guard let shim = Runtime.shim else {
    fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is; use 'make conformance'")
}
/// Only checks whose name has this in it.
let wanted = environment["CHECK"] ?? ""
let checks = Check.all.filter { wanted.isEmpty || $0.name.contains(wanted) }
let generations = Containerd.allCases.filter { (environment["CONTAINERD"] ?? $0.rawValue) == $0.rawValue }
guard !checks.isEmpty, !generations.isEmpty else { fail("no check has '\(wanted)' in its name, or no such containerd") }

/// Ours, and of the stock shim what is not known or matters now.
func tryBoth(on containerd: Containerd, _ table: inout Table) async throws {
    let ours = Column(containerd: containerd, runtime: .zeropod)
    let stock = Column(containerd: containerd, runtime: .runc)
    let versions = try await Runner(shim: shim, column: ours, limit: .seconds(300)).run(checks, &table)
    let known = try Stock()
    let unknown = checks.filter { check in
        guard let outcome = known[versions, check.name], table[check.name, ours]?.isFailure != true else { return true }
        table.take(check.name, stock, outcome)
        return false
    }
    say("\(versions): \(unknown.count) of \(checks.count) checks are tried with the stock shim")
    try await Runner(shim: shim, column: stock, limit: .seconds(300)).run(unknown, &table)
}

/// The stock shim alone; what it does is written down.
func takeStock(on containerd: Containerd, _ table: inout Table) async throws {
    let stock = Column(containerd: containerd, runtime: .runc)
    let versions = try await Runner(shim: shim, column: stock, limit: .seconds(300)).run(checks, &table)
    var known = try Stock()
    for check in checks { if let outcome = table[check.name, stock] { known.note(versions, check.name, outcome) } }
    try known.write()
}

/// Far more than all takes on two busy cores; a run that takes longer has failed.
let limit = Duration.seconds(3600)
let start = ContinuousClock.now
let running = Task {
    var table = Table()
    for containerd in generations {
        if environment["STOCK"] == "1" {
            try await takeStock(on: containerd, &table)
        } else {
            try await tryBoth(on: containerd, &table)
        }
    }
    return table.conclude(after: ContinuousClock.now - start)
}
let interruptions = Interruptions { running.cancel() }
Task {
    try await Task.sleep(for: limit)
    running.cancel()
}
do {
    exit(try await running.value ? 0 : 1)
} catch {
    fail(ContinuousClock.now - start < limit ? "\(error)" : "not done within \(limit)")
}
