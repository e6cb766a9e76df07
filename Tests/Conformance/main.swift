// `make conformance`: the same tests with containerd's stock shim and with ours, side by side. It fails if a test passes
// with stock and fails with ours; what fails with both is the machine's.
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

let running = Task {
    var table = Table()
    for containerd in generations {
        try await Runner(shim: shim, checks: checks).run(on: containerd, &table)
    }
    return table.conclude()
}
let interruptions = Interruptions { running.cancel() }
do {
    exit(try await running.value ? 0 : 1)
} catch {
    fail("\(error)")
}
