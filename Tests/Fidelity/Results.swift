import Foundation
import Synchronization

/// Keeps what all trials have shown in files, `build/fidelity.json` and `build/applications.json`, which `make compatibility`
/// makes tables of.
final class Results: Sendable {
    static let shared = Results()

    private struct Line: Codable {
        let group, mode, holds, asleep, word: String
        let failures: [String]
    }

    private let lines = Mutex<[Line]>([])
    private let outcomes = Mutex<[ApplicationTrial.Outcome]>([])
    private let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../build").standardized

    func add(_ verdicts: [Verdict]) {
        lines.withLock { lines in
            lines += verdicts.map {
                Line(
                    group: $0.group, mode: $0.mode.rawValue, holds: $0.holds, asleep: $0.asleep, word: $0.word,
                    failures: $0.failures)
            }
            write(lines, "fidelity")
        }
    }

    func add(_ outcome: ApplicationTrial.Outcome) {
        outcomes.withLock { outcomes in
            outcomes.append(outcome)
            write(outcomes, "applications")
        }
    }

    private func write(_ what: some Encodable, _ name: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try? encoder.encode(what).write(to: directory.appending(path: "\(name).json"))
    }
}
