import Foundation

/// What became of one kind in one trial.
struct Verdict: Sendable {
    enum Way: Sendable {
        case checkpointed
        case frozen(String)
        case awake(String)
    }

    let group: String
    let mode: Mode
    let holds: String
    let asleep: String
    let name: String
    private let refusal: String
    private(set) var absence: String?
    private var ways: [Way] = []
    private(set) var failures: [String] = []

    init(_ kind: Kind, _ group: Group, _ mode: Mode) {
        (self.group, self.mode, holds, asleep) = (group.name, mode, kind.holds, kind.asleep)
        (name, refusal) = (kind.name, kind.refusal)
    }

    init(absent name: String, because reason: String, _ group: Group, _ mode: Mode) {
        (self.group, self.mode, holds, asleep, refusal) = (group.name, mode, name, "", "")
        (self.name, absence) = (name, reason)
    }

    var isPresent: Bool { absence == nil }

    mutating func note(_ checks: [Check], _ cycle: Int) {
        for check in checks where !check.holds {
            failures.append("sleep \(cycle), \(check.what): expected \(check.expected), seen \(check.seen)")
        }
    }

    /// The reason of the control.
    static let asked = "as asked"

    /// Frozen for another kind's sake, or for no reason that names this one, is a failure.
    mutating func slept(_ way: Way) {
        guard isPresent else { return }
        ways.append(way)
        guard let why = way.reason, !reasonIsRight(why) else { return }
        let expected = refusal.isEmpty ? "a checkpoint" : "a reason with \(refusal)"
        failures.append("sleep \(ways.count): expected \(expected), seen \(way)")
    }

    private func reasonIsRight(_ why: String) -> Bool {
        why == Self.asked
            || !refusal.isEmpty && why.range(of: refusal, options: [.regularExpression, .caseInsensitive]) != nil
    }

    /// The container is gone, or does not answer.
    mutating func lost(_ why: String) {
        guard isPresent else { return }
        failures.append("after \(ways.count) sleeps: \(why)")
    }

    /// Whether the container as a whole failed, for whichever kind's sake.
    var wasLost: Bool { failures.contains { $0.hasPrefix("after ") || $0.contains("expected a checkpoint") } }

    /// As a line of docs/compatibility.md says it.
    var word: String {
        if let absence { return "not tried: \(absence)" }
        if !failures.isEmpty { return "FAILED" }
        return ways.last.map { "\($0)" } ?? ""
    }
}

extension Verdict.Way: CustomStringConvertible {
    var reason: String? {
        switch self {
        case .checkpointed: nil
        case .frozen(let why), .awake(let why): why
        }
    }

    var description: String {
        switch self {
        case .checkpointed: "kept"
        case .frozen(let why): "frozen: \(why)"
        case .awake(let why): "awake: \(why)"
        }
    }
}
