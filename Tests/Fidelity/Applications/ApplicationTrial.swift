import Commands
import Foundation
import TestNode

/// One application, with its client at work before, during and after its sleeps.
struct ApplicationTrial {
    struct Outcome: Codable {
        let name, shown, atWork: String
        var word = ""
        /// How many things that /proc tells were compared.
        var compared = 0
        var failures: [String] = []
    }

    private let application: Application
    private let visitor: Visitor

    init(_ application: Application, _ visitor: Visitor) { (self.application, self.visitor) = (application, visitor) }

    func outcome() async throws -> Outcome {
        var outcome = Outcome(name: application.name, shown: application.shown, atWork: application.atWork)
        let node = visitor.pod.node
        try await node.shell("rm -rf /run/applications/*")
        try await node.withPod(
            application.name, runtime: .zeropod, annotations: ["zeropod.ctrox.dev/scaledown-duration": "1h"]
        ) { pod in
            let container = try await pod.start(
                "main", image: "applications", command: ["/fidelity/applications/start/\(application.name)"]
            ) {
                $0.mounts = [.programs, .applicationsVolume]
                if application.hasSeccomp { $0.security.seccomp = .runtimeDefault }
            }
            do {
                try await sleeps(of: container, &outcome)
            } catch {
                outcome.failures.append("\(error)")
                outcome.failures += (try? container.log().suffix(10).map(\.text)) ?? []
            }
        }
        if !outcome.failures.isEmpty { outcome.word = "FAILED" }
        return outcome
    }

    private func sleeps(of container: Container, _ outcome: inout Outcome) async throws {
        let pod = container.pod
        let client = application.name.replacing("-", with: "_")
        try await visitor.has("begin", pod, "&application=\(client)")
        try await command(in: container)
        let (before, moving) = try await ProcessView.settled(of: container)
        try await fallAsleep(container, &outcome)
        // By nobody who would change something.
        try await container.zeropod("wake", until: "running")
        let after = try await ProcessView(of: container)
        outcome.compared = before.count
        outcome.failures += before.differences(from: after, moving: moving, heapMoves: application.heapMoves)
        try await command(in: container)
        try await visitor.has("goes_on", pod)
        for verb in ["goes_on", "begins_again", "goes_on"] {
            try await fallAsleep(container, &outcome)
            try await visitor.has("asleep", pod)
            try await visitor.has(verb, pod)
        }
        let sleeps = try await container.sleepReport()
        if sleeps.checkpoints.count + sleeps.freezes != 4 { throw Lost(what: "it has not slept four times: \(sleeps)") }
    }

    private func command(in container: Container) async throws {
        guard !application.command.isEmpty else { return }
        let result = try await container.pod.node.cri.execSync(container.id, application.command)
        if result.exitCode != 0 { throw Lost(what: "\(application.command): \(result.stderr)") }
    }

    private func fallAsleep(_ container: Container, _ outcome: inout Outcome) async throws {
        let way = try await container.fallAsleep(.eager)
        outcome.word = "\(way)"
        switch (way, application.refusal) {
        case (.checkpointed, nil): return
        case (.frozen(let why), let expected?) where why.contains(expected): return
        case (.awake(let why), _): throw Lost(what: "it does not sleep: \(why)")
        default: outcome.failures.append("expected \(application.refusal ?? "a checkpoint"), seen \(way)")
        }
    }
}
