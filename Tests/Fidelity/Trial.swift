import CRI
import Commands
import Foundation
import TestNode

extension ContainerConfig.Mount {
    static let programs = Self(hostPath: "/fidelity", containerPath: "/fidelity", readOnly: true)
}

/// One container that holds kinds of a group, is disturbed asleep, and wakes.
struct Trial {
    let node: TestNode
    let outsider: Outsider
    let group: Group
    let mode: Mode
    /// Its volume's name.
    private let run = UUID().uuidString.prefix(8).lowercased()

    init(_ group: Group, _ mode: Mode, on node: TestNode, with outsider: Outsider) {
        (self.group, self.mode, self.node, self.outsider) = (group, mode, node, outsider)
    }

    /// - Parameter only: the names of kinds; none: all of the group.
    func verdicts(only: [String] = []) async throws -> [Verdict] {
        let annotations = group.annotations.merging(mode.annotations) { $1 }.merging(["scaledown-duration": "1h"]) {
            $1
        }
        let named = Dictionary(uniqueKeysWithValues: annotations.map { ("zeropod.ctrox.dev/\($0)", $1) })
        let owner = "\(mode.firstUser ?? 0)"
        try await node.run("install", "-d", "-o", owner, "-g", owner, "\(Outsider.volumes)/\(run)")
        return try await node.withPod(
            "fidelity-\(group.name)", runtime: .zeropod, annotations: named, adjust: mode.adjust
        ) { pod in
            let holder = try await pod.start(
                "holder", image: "python", command: ["python3", "-u", "/fidelity/holder.py", group.name] + only,
                environment: try await criu
            ) {
                $0.mounts = [.programs, .init(hostPath: "\(Outsider.volumes)/\(run)", containerPath: "/volume")]
                $0.security.namespaces.userRange = mode.firstUser
            }
            try await holder.awaitLog("listening")
            let first = try await look(holder)
            var verdicts = first.kinds.map { Verdict($0, group, mode) }
            verdicts += first.absent.map { Verdict(absent: $0.key, because: $0.value, group, mode) }
            do {
                try await cycles(of: holder, &verdicts)
            } catch {
                for index in verdicts.indices { verdicts[index].lost("\(error)") }
            }
            try await outsider.ask("forget", run)
            return verdicts
        }
    }

    private func cycles(of holder: Container, _ verdicts: inout [Verdict]) async throws {
        func note(_ answer: [String: [Check]], _ cycle: Int) {
            for index in verdicts.indices { verdicts[index].note(answer[verdicts[index].name] ?? [], cycle) }
        }
        let present = verdicts.filter(\.isPresent).map { ("only", $0.name) }
        guard !present.isEmpty else { return }
        note(try await outsider.ask("meet", run, [("group", group.name), ("address", holder.pod.ip4)] + present), 0)
        for cycle in 1...group.cycles {
            let way = try await holder.fallAsleep(mode)
            for index in verdicts.indices { verdicts[index].slept(way) }
            note(try await outsider.ask("disturb", run, [("n", "\(cycle)")]), cycle)
            let answer = try await look(holder, cycle)
            // The program's own mode: it has gone on, and not begun again.
            guard answer.count == cycle + 1 else { throw Lost(what: "count \(answer.count) after wake \(cycle)") }
            note(answer.checks ?? [:], cycle)
            note(try await outsider.ask("after", run, [("n", "\(cycle)")]), cycle)
            // It would not sleep the next time either.
            if case .awake = way { return }
        }
        let sleeps = try await holder.sleepReport()
        guard sleeps.checkpoints.count + sleeps.freezes == group.cycles
        else {
            throw Lost(what: "\(sleeps.checkpoints.count) checkpoints, \(sleeps.freezes) freezes; not \(group.cycles)")
        }
    }

    private func look(_ holder: Container, _ cycle: Int? = nil) async throws -> HolderAnswer {
        try await node.get(
            holder.pod.ip4, port: 8080, path: cycle.map { "/look?n=\($0)" } ?? "/", from: .outside
        ).json(HolderAnswer.self)
    }

    /// The size and mode of criu's program, for those who pretend to be it.
    private var criu: [String: String] {
        get async throws {
            let path = "PATH=/opt/zeropod/bin:$PATH; stat -Lc '%s %a' $(command -v criu)"
            let words = try await node.shell(path).trimmed.split(separator: " ").map(String.init)
            return ["CRIU_SIZE": words.first ?? "", "CRIU_MODE": words.last ?? ""]
        }
    }
}

struct Lost: Error, CustomStringConvertible {
    let what: String

    var description: String { what }
}
