// `make bench`: how long sleep and wake take and what a shim costs, always beside a control in the same run, because
// machines differ and are shared. It prints a table and writes the same numbers as JSON. It judges nothing.
import Commands
import Foundation
import TestNode

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("bench: \(text)\n".utf8))
    exit(1)
}

let environment = ProcessInfo.processInfo.environment
guard geteuid() == 0 else { fail("needs root: sudo make bench") }
guard let shim = Runtime.shim else { fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is; use 'make bench'") }
guard CommandLine.arguments.count == 2 else { fail("usage: zeropod-bench FILE.json | trace") }
guard let rounds = Int(environment["ROUNDS"] ?? "20"), rounds > 0 else { fail("ROUNDS is not a number above zero") }

let report = Report()
let measuring = Task {
    if CommandLine.arguments[1] == "trace" { return try await Trace.run(shim: shim, rounds: rounds) }
    if let control = environment["CONTROL"] {
        let control = URL(filePath: control)
        return try await Comparison.run(shim: shim, control: control, rounds: rounds, report)
    }
    do {
        let node = try await TestNode.up("bench", shim: shim)
        do {
            for application in Application.all {
                try await SleepBench(node: node, application: application, rounds: rounds).run(report)
            }
            try await ShimBench(node: node, rounds: max(5, rounds / 2)).run(report)
        } catch {
            if !Task.isCancelled { print(await node.diagnosis()) }
            throw error
        }
    } catch {
        try? await TestNode.down("bench")
        throw error
    }
    try await TestNode.down("bench")
}
let interruptions = Interruptions { measuring.cancel() }

do {
    try await measuring.value
    if CommandLine.arguments[1] == "trace" { exit(0) }
    print(await report.table)
    try await report.json.write(to: URL(filePath: CommandLine.arguments[1]))
    print("\nwritten to \(CommandLine.arguments[1])")
} catch {
    if measuring.isCancelled { fail("interrupted") }
    fail("\(error)")
}
