import Foundation
import Measure
import TestNode

/// Rows of the table that are measured together: an entry of the benchmark. Each is made in a file of its own, and
/// stands in `all`. It makes the pods that it needs on the node that all entries share, notes its numbers, ours and the
/// control's by turns, and removes the pods. If it throws, its rows are left out, and the next entry gets a fresh node.
struct Entry: Sendable {
    let rows: [String]
    /// Whether it is part of `make bench-quick`.
    var isQuick = false
    /// Whether it is measured without being named in ONLY.
    var isUsual = true
    let measure: @Sendable (Bench) async throws -> Void

    static let all: [Entry] = [
        .httpd, .nginx, .redis, .python, .sandbox, .start, .execAsleep, .awake, .binarySize, .wakeups, .megabytes256,
        .files2000, .connections200,
        .density, .gigabyte, .gigabyteTouched, .duringCheckpoint, .plot,
    ]
}

/// What an entry measures with.
struct Bench: Sendable {
    let node: TestNode
    let shim: URL
    /// How often each side takes its turn.
    let rounds: Int
    let report: Report

    var client: TimedClient { TimedClient(namespace: "\(node.root)/run/netns/client") }

    /// A node of its own for many pods: ending it is much faster than deleting them.
    func withNode(_ name: String, _ body: (TestNode) async throws -> Void) async throws {
        let node = try await TestNode.up(name, shim: shim)
        do {
            try await body(node)
        } catch {
            try? await TestNode.down(name)
            throw error
        }
        try await TestNode.down(name)
    }

    func milliseconds(_ body: () async throws -> Void) async throws -> Double {
        try Task.checkCancellation()
        let begin = ContinuousClock.now
        try await body()
        return (ContinuousClock.now - begin).seconds * 1000
    }
}

/// Which rows are wanted: those named in ONLY, separated by commas, by their whole name or the part before a slash;
/// else those of `make bench` or `make bench-quick`.
struct Selection: Sendable {
    let names: [String]
    let quick: Bool

    init(only: String?, quick: Bool) {
        names = (only ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        self.quick = quick
    }

    func wants(_ row: String) -> Bool { names.isEmpty || names.contains { row == $0 || row.hasPrefix("\($0)/") } }

    var entries: [Entry] {
        Entry.all.filter { entry in
            names.isEmpty ? entry.isUsual && (entry.isQuick || !quick) : entry.rows.contains(where: wants)
        }
    }

    /// Names that no row has.
    var unknown: [String] {
        let rows = Entry.all.flatMap(\.rows)
        return names.filter { name in !rows.contains { $0 == name || $0.hasPrefix("\(name)/") } }
    }
}
