import CRI
import Commands
import Foundation
import TestNode

/// What the stock shim did when it was last tried (`make conformance STOCK=1`), by the versions of containerd and runc. It
/// is another project's, and the same for the same versions: the table shows it from the file. It is tried again with
/// versions and checks that are not in the file, and with each check that ours fails, for which the file decides nothing.
struct Stock {
    /// Lines of versions, an outcome and a check.
    static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "stock")

    private var outcomes: [String: [String: String]] = [:]

    init() throws {
        guard FileManager.default.fileExists(atPath: Self.file.path()) else { return }
        for line in try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: "\t").map(String.init)
            guard parts.count == 3 else { throw NotSo(description: "\(Self.file.path()): '\(line)' is no line of it") }
            outcomes[parts[0], default: [:]][parts[2]] = parts[1]
        }
    }

    subscript(versions: String, check: String) -> Outcome? {
        switch outcomes[versions]?[check] {
        case "pass": .passed
        case "no": .failed("by \(Self.file.lastPathComponent)")
        case "skip": .skipped("by \(Self.file.lastPathComponent)")
        default: nil
        }
    }

    mutating func note(_ versions: String, _ check: String, _ outcome: Outcome) {
        outcomes[versions, default: [:]][check] = outcome.isFailure ? "no" : outcome.word
    }

    func write() throws {
        let lines = outcomes.sorted { $0.key < $1.key }.flatMap { versions, checks in
            checks.sorted { $0.key < $1.key }.map { "\(versions)\t\($0.value)\t\($0.key)\n" }
        }
        try lines.joined().write(to: Self.file, atomically: true, encoding: .utf8)
    }
}

extension TestNode {
    /// "containerd 2.1.9, runc 1.3.3"
    func versions() async throws -> String {
        let version = "--version | grep -oE '[0-9]+\\.[0-9]+\\.[0-9]+' | head -n 1"
        return try await shell("echo \"containerd $(containerd \(version)), runc $(runc \(version))\"").trimmed
    }
}
