import Commands
import Foundation
import TestNode

/// What Tests/VirtualMachine/node.sh runs in its machine. Arguments: APPLICATION:WAY[:NETWORK]..., all of them without any.
@main enum Main {
    static func main() async { await NodeChecks(trials: CommandLine.arguments.dropFirst()).run() }
}

/// Containers of root and of a user, asleep, frozen and awake.
struct NodeChecks {
    let trials: ArraySlice<String>

    func run() async {
        let results = Results()
        let before = await leftovers()
        var findings: Findings?
        await results.check("zeropod check") {
            findings = try await Findings.of(.thisMachine)
            return ""
        }
        for line in findings?.lines ?? [] { print("  \(line.verdict) \(line.subject): \(line.detail)") }
        await results.check("the kubelet is told what it can do") {
            let features = try await TestNode.thisMachine.cri.features()
            guard features["zeropod"]?.userNamespaces == true else { throw Surprise("\(features)") }
            return ""
        }
        let onlyFreezes = findings?.onlyFreezes == true
        for trial in Trial.all(onlyFreezes: onlyFreezes, results) where trials.isEmpty || trials.contains(trial.name) {
            await trial.run()
        }
        if let findings {
            await results.check("shims log what zeropod check says") {
                try findings.agree(withLog: "/var/log/containerd.log")
                return ""
            }
        }
        await results.check("nothing is left") {
            var left: Set<Substring> = []
            do {
                try await eventually("nothing is left") {
                    left = await leftovers().subtracting(before)
                    return left.isEmpty
                }
            } catch { throw Surprise("\(error): \(left)") }
            return ""
        }
        if results.failed > 0 { print(await TestNode.thisMachine.diagnosis()) }
        print("\(results.passed) passed, \(results.failed) failed")
    }

    /// Some there are without pods: namespaces of the kernel's own threads.
    private func leftovers() async -> Set<Substring> {
        guard let output = try? await TestNode.thisMachine.run("bash", "/applications/left-by-pods", expecting: nil)
        else { return ["no answer"] }
        return Set(output.lines)
    }
}
