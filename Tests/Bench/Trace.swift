import Commands
import Foundation
import Measure
import TestNode

/// `make trace`: where the time of a sleep and of a wake goes, from the shim's debug log. WAKE sets the
/// annotation `wake`.
struct Trace {
    let node: TestNode
    let rounds: Int

    static func run(shim: URL, rounds: Int) async throws {
        let node = try await TestNode.up("trace", shim: shim, options: ["--debug"])
        do {
            for application in Application.small + [.memory(megabytes: 256)] {
                try await Trace(node: node, rounds: rounds).run(application)
            }
        } catch {
            try? await TestNode.down("trace")
            throw error
        }
        try await TestNode.down("trace")
    }

    private func run(_ application: Application) async throws {
        var annotations = ["zeropod.ctrox.dev/scaledown-duration": "200ms"]
        annotations["zeropod.ctrox.dev/wake"] = ProcessInfo.processInfo.environment["WAKE"]
        let pod = try await node.runPod("traced", runtime: .zeropod, annotations: annotations)
        let container = try await pod.start(application.name, image: application.image, command: application.command)
        let client = TimedClient(namespace: "\(node.root)/run/netns/client")
        let log = ShimLog(of: pod)
        var wakes = Samples()
        for round in 0...rounds {
            _ = try await log.await(.asleep, round + 1, of: container.id)
            wakes.values.append(try await application.ask(client, pod.ip4))
        }
        let lines = try container.shimLog()
        try await pod.delete()
        print("\(application.name): connect to first byte \((wakes.median * 1000).rounded()) µs, median of \(rounds)")
        for verb in ["checkpoint", "restore"] { print(Self.table(of: verb, lines)) }
    }

    /// Medians over all lines `steps of the VERB in µs: a 12, b 345`, step by step.
    private static func table(of verb: String, _ lines: [String]) -> String {
        var names: [String] = []
        var samples: [String: Samples] = [:]
        for line in lines {
            guard let steps = line.firstRange(of: "steps of the \(verb) in µs: ") else { continue }
            for step in line[steps.upperBound...].prefix(while: { $0 != "\"" }).split(separator: ", ") {
                guard let blank = step.lastIndex(of: " "), let value = Double(step[blank...].dropFirst()) else {
                    continue
                }
                let name = String(step[..<blank])
                if samples[name] == nil { names.append(name) }
                samples[name, default: Samples()].values.append(value)
            }
        }
        let rows = names.compactMap { name in
            samples[name].map {
                "  until \(name)".padding(toLength: 36, withPad: " ", startingAt: 0) + "\(Int($0.median))"
            }
        }
        return (["  \(verb), µs"] + rows).joined(separator: "\n")
    }
}
