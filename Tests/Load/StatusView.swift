import Foundation
import TestNode

/// What `zeropod status` said last, asked for every second.
actor StatusView {
    private struct Line: Decodable {
        let id: String
        let state: String
    }

    private let node: TestNode
    private var asleep: Set<String> = []
    /// When it was asked.
    private var asked: ContinuousClock.Instant?

    init(of node: TestNode) { self.node = node }

    func follow(until end: ContinuousClock.Instant) async throws {
        while ContinuousClock.now < end {
            let begin = ContinuousClock.now
            let output = try await node.run("/opt/zeropod/bin/zeropod", "status", "--json", expecting: nil)
            let lines = try JSONDecoder().decode([Line].self, from: output.stdout)
            (asleep, asked) = (Set(lines.filter { $0.state == "asleep" }.map(\.id)), begin)
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Whether it was seen asleep since then.
    func isAsleep(_ id: String, after moment: ContinuousClock.Instant) -> Bool {
        asked.map { $0 > moment } == true && asleep.contains(id)
    }
}
