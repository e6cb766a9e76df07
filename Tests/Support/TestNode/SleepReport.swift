import Commands
import Foundation
import Testing

/// What a shim itself says of a container: a line of `zeropod status --json`. Unlike its log, which containerd copies
/// when it comes to it, this is never behind.
package struct SleepReport: Decodable, Sendable {
    package struct Times: Decodable, Sendable {
        package let count: Int
        /// Nanoseconds.
        package let sum: Int
    }

    package struct Handover: Decodable, Equatable, Sendable {
        package var acceptQueue: [Int] = []
        package var relay: [Int] = []
        package var reason = ""

        enum CodingKeys: String, CodingKey {
            case acceptQueue = "accept-queue"
            case relay, reason
        }

        package init(acceptQueue: [Int] = [], relay: [Int] = [], reason: String = "") {
            (self.acceptQueue, self.relay, self.reason) = (acceptQueue, relay, reason)
        }
    }

    package struct Caller: Decodable, Sendable {
        package let way: String
        package let peer: String?
        package let port: Int?
        package let direction: String
    }

    package let why: String
    package let wakesByWay: [String: Int]
    package let lastWake: Caller?
    package let lastUser: Caller?
    package let id: String
    package let pod: String
    package let container: String
    package let state: String
    package let paused: Bool
    package let reasons: [String]
    package let lastError: String
    package let ports: [Int]
    package let imageBytes: Int
    package let memoryGivenBack: Int
    package let checkpoints: Times
    package let restores: Times
    package let wakes: Times
    package let connectionsKept: Int
    package let freezes: Int
    package let thaws: Int
    package let wakesInTurn: Int
    package let waitsForItsTurn: Bool
    package let handover: Handover
}

extension TestNode {
    /// - Parameter id: the container's full id.
    package func sleepReport(of id: String) async throws -> SleepReport {
        // Its status tells of shims that do not answer; those of others are no matter.
        let answer = try await run("/opt/zeropod/bin/zeropod", "status", "--json", expecting: nil)
        let all = try JSONDecoder().decode([SleepReport].self, from: answer.stdout)
        guard let report = all.first(where: { $0.id == id }) else { throw NoReport(id: id, problem: answer.errorText) }
        return report
    }
}

private struct NoReport: Error, CustomStringConvertible {
    let id: String
    let problem: String

    var description: String { "no shim tells of \(id)\(problem.isEmpty ? "" : ": \(problem)")" }
}

extension Container {
    package func sleepReport() async throws -> SleepReport { try await pod.node.sleepReport(of: id) }

    /// How often it has fallen asleep by a checkpoint.
    package func sleeps() async throws -> Int { try await sleepReport().checkpoints.count }

    /// How often it was restored and runs again. One that is waking may have answered already, and is waited for.
    package func wakes() async throws -> Int { try await awakeReport().restores.count }

    package func thaws() async throws -> Int { try await awakeReport().thaws }

    private func awakeReport() async throws -> SleepReport {
        try await eventually("\(name) is not in the middle of a wake") {
            let report = try await sleepReport()
            return report.state == "restoring" ? nil : report
        }
    }

    package func expectSleeps(
        _ expected: Int, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let sleeps = try await sleeps()
        #expect(sleeps == expected, comment, sourceLocation: sourceLocation)
    }

    package func expectWakes(
        _ expected: Int, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let wakes = try await wakes()
        #expect(wakes == expected, comment, sourceLocation: sourceLocation)
    }

    package func expectThaws(
        _ expected: Int, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let thaws = try await thaws()
        #expect(thaws == expected, comment, sourceLocation: sourceLocation)
    }
}
