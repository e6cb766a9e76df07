import Commands
import Foundation
import TestNode

extension Container {
    /// Has a person's command done until it is.
    func zeropod(_ verb: String, until state: String) async throws {
        var last = ""
        do {
            try await eventually("\(name) is \(state)", within: .seconds(15)) {
                let answer = try await pod.node.run("/opt/zeropod/bin/zeropod", verb, id, expecting: nil)
                let report = try await sleepReport()
                last = "\(report.state): \(answer.errorText) \(report.lastError)"
                return report.state == state
            }
        } catch is NeverHappened {
            throw Lost(what: "it does not \(verb): \(last)")
        }
    }

    /// Puts it to sleep, and returns how it sleeps, or why it does not.
    func fallAsleep(_ mode: Mode) async throws -> Verdict.Way {
        var reason = ""
        do {
            // What has just answered may still be busy with it, and a port has to be found first.
            return try await eventually("\(name) sleeps", within: .seconds(15)) {
                let answer = try await pod.node.run("/opt/zeropod/bin/zeropod", "sleep", id, expecting: nil)
                let report = try await sleepReport()
                reason = "\(report.state); \(answer.errorText.trimmingCharacters(in: .newlines)); \(report.lastError)"
                switch report.state {
                case "asleep": return .checkpointed
                case "frozen" where mode == .frozen: return .frozen(Verdict.asked)
                case "frozen": return .frozen(report.reasons.joined(separator: "; "))
                default: return nil
                }
            }
        } catch let error as NeverHappened {
            guard try await status().state == .running else { throw error }
            return .awake(reason)
        }
    }
}
