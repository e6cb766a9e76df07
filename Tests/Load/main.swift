// `zeropod-load`: a busy day on one node. Processes at work in other pods keep it at a load of 40, and 24 containers sleep
// beside them, each probed every second as by a kubelet, and called every few seconds by a client that wakes it. No cluster is
// needed for that: what in-place scaling would have the kubelet do to a sleeper, to lower its part of the processors, is done
// here to most of them; those that are left alone are what the others are compared with.
//
// LOAD_SECONDS (600), LOAD_PROCESSES (40) and LOAD_SLEEPERS (24) say how long, how busy and how many.
import Commands
import Foundation
import TestNode

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("load: \(text)\n".utf8))
    exit(1)
}

func number(_ name: String, _ usual: Int) -> Int {
    guard let text = ProcessInfo.processInfo.environment[name] else { return usual }
    guard let number = Int(text), number > 0 else { fail("\(name) is not a number above zero") }
    return number
}

guard geteuid() == 0 else { fail("needs root") }
guard let shim = Runtime.shim else { fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is") }
let (seconds, processes, sleepers) = (
    number("LOAD_SECONDS", 600), number("LOAD_PROCESSES", 40), number("LOAD_SLEEPERS", 24)
)

let day = Task {
    do {
        let node = try await TestNode.up("load", shim: shim, options: ["--debug"])
        do {
            return try await BusyDay(node: node, seconds: seconds, processes: processes, sleepers: sleepers).run()
        } catch {
            if !Task.isCancelled { print(await node.diagnosis()) }
            throw error
        }
    } catch {
        try? await TestNode.down("load")
        throw error
    }
}
let interruptions = Interruptions { day.cancel() }

do {
    let result = try await day.value
    let left = try await TestNode.attach("load", containerd: .current).lastingLeftovers()
    try await TestNode.down("load")
    print(result.table)
    let problems = result.problems + left.map { "left behind: \($0)" }
    for line in problems { print("FAILED: \(line)") }
    print("\(result.passed) passed, \(problems.count) failed, 0 skipped")
    exit(problems.isEmpty ? 0 : 1)
} catch {
    if day.isCancelled { fail("interrupted") }
    fail("\(error)")
}
