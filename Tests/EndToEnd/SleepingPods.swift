import CRI
import Commands
import TestNode
import Testing

/// Pods that sleep, on nodes that all suites in this one share. They need the shim.
@Suite(.nodes("sleep", options: ["--debug"]), .enabled(if: Runtime.shim != nil, "needs ZEROPOD_SHIM_DIRECTORY"))
struct SleepingPods {}

/// The annotations of a pod that falls asleep after a moment without traffic.
func sleepy(_ more: [String: String] = [:], after duration: String = "300ms") -> [String: String] {
    let all = more.merging(["scaledown-duration": duration]) { given, _ in given }
    return Dictionary(uniqueKeysWithValues: all.map { ("zeropod.ctrox.dev/\($0)", $1) })
}

extension TestNode {
    /// A pod of the shim under test that falls asleep soon.
    func withSleepyPod<Result>(
        _ name: String, after duration: String = "300ms", _ annotations: [String: String] = [:],
        _ body: (Pod) async throws -> Result
    ) async throws -> Result {
        try await withPod(name, runtime: .zeropod, annotations: sleepy(annotations, after: duration), body)
    }
}
