// `make bench`: how long sleep and wake take and what a shim costs, always beside a control in the same run, because
// machines differ and are shared. It prints a table and writes the same numbers as JSON. It judges nothing.
import Commands
import Foundation
import TestNode

func fail(_ text: String) -> Never {
    tell("bench: \(text)\n")
    exit(1)
}

let environment = ProcessInfo.processInfo.environment
let words = CommandLine.arguments.dropFirst()
let what = words.count == 2 ? words.dropFirst().joined() : words.joined()
guard geteuid() == 0 else { fail("needs root: sudo make bench") }
guard let shim = Runtime.shim else { fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is; use 'make bench'") }
guard words.count == 1 || words.count == 2 && what == "quick" else {
    fail("usage: zeropod-bench FILE.json [quick] | trace")
}
guard let rounds = Int(environment["ROUNDS"] ?? (what == "quick" ? "15" : "20")), rounds > 0 else {
    fail("ROUNDS is not a number above zero")
}
let selection = Selection(only: environment["ONLY"], quick: what == "quick")
guard selection.unknown.isEmpty else {
    let rows = Entry.all.flatMap(\.rows).joined(separator: ", ")
    fail("ONLY names no row '\(selection.unknown.joined(separator: "', '"))'; there are \(rows)")
}

let report = Report()
let measuring = Task { () -> [String] in
    if what == "trace" {
        try await Trace.run(shim: shim, rounds: rounds)
        return []
    }
    let file = URL(filePath: CommandLine.arguments[1])
    if let control = environment["CONTROL"] {
        try await Comparison.run(shim: shim, control: URL(filePath: control), rounds: rounds, report)
        try await report.json.write(to: file)
        return []
    }
    return try await Runner(shim: shim, rounds: rounds, selection: selection, report: report, file: file).run()
}
let interruptions = Interruptions { measuring.cancel() }

do {
    let failures = try await measuring.value
    if what == "trace" { exit(0) }
    print(await report.table)
    print("\nwritten to \(CommandLine.arguments[1])")
    guard failures.isEmpty else { fail("failed:\n" + failures.joined(separator: "\n")) }
} catch {
    if measuring.isCancelled { fail("interrupted") }
    fail("\(error)")
}
