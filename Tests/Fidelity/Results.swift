import Foundation
import Synchronization

/// Keeps what all trials have shown in a file, `build/fidelity.json`, which `make compatibility` makes a table of.
final class Results: Sendable {
    static let shared = Results()

    private struct Line: Codable {
        let group, mode, holds, asleep, word: String
        let failures: [String]
    }

    private let lines = Mutex<[Line]>([])
    private let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../build/fidelity.json").standardized

    func add(_ verdicts: [Verdict]) {
        lines.withLock { lines in
            lines += verdicts.map {
                Line(
                    group: $0.group, mode: $0.mode.rawValue, holds: $0.holds, asleep: $0.asleep, word: $0.word,
                    failures: $0.failures)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try? encoder.encode(lines).write(to: file)
        }
    }
}
