// `make soak`: clients of many kinds against containers that fall asleep and wake as often as they can, for as long as
// wanted (SOAK_SECONDS). The clients check every byte that they get (Tests/Node/images/soak.py); here the pods are made,
// and what the clients, the shims and the kernel counted is put together. One error is a failure.
import Commands
import Foundation
import TestNode

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("soak: \(text)\n".utf8))
    exit(1)
}

let environment = ProcessInfo.processInfo.environment
guard geteuid() == 0 else { fail("needs root: sudo make soak") }
guard let shim = Runtime.shim else { fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is; use 'make soak'") }
guard let seconds = Int(environment["SOAK_SECONDS"] ?? "600"), seconds > 0 else {
    fail("SOAK_SECONDS is not a number above zero")
}

let soak = Task {
    do {
        let node = try await TestNode.up("soak", shim: shim)
        do {
            return try await Soak(node: node, seconds: seconds).run()
        } catch {
            if !Task.isCancelled { print(await node.diagnosis()) }
            throw error
        }
    } catch {
        try? await TestNode.down("soak")
        throw error
    }
}
let interruptions = Interruptions { soak.cancel() }

do {
    let result = try await soak.value
    let left = try await TestNode.attach("soak", containerd: .current).lastingLeftovers()
    try await TestNode.down("soak")
    print(result.table)
    for line in result.problems + left.map({ "left behind: \($0)" }) { print("FAILED: \(line)") }
    let failed = result.problems.count + left.count
    print("\(result.passed) passed, \(failed) failed, 0 skipped")
    exit(failed == 0 ? 0 : 1)
} catch {
    if soak.isCancelled { fail("interrupted") }
    fail("\(error)")
}
