import Commands
import Foundation

/// What was counted, as a table and as what went wrong.
struct Counts {
    /// Of one kind of client at one target, as soak.py prints it.
    private struct Kind: Decodable {
        let served: Int
        let bytes: Int
        let errors: [String: Int]
    }

    private var rows: [[String]] = [["CLIENT", "SERVED", "BYTES CHECKED", "ERRORS"]]
    private var cycles: [[String]] = [["TARGET", "SLEEPS", "WAKES"]]
    private var notes: [String] = []
    private var sleepsAmongClients = 0
    private(set) var passed = 0
    var problems: [String] = []

    mutating func take(_ output: Output) throws {
        let kinds = try JSONDecoder().decode([String: Kind].self, from: Data(output.trimmed.utf8))
        for (name, kind) in kinds.sorted(by: { $0.key < $1.key }) {
            let errors = kind.errors.values.reduce(0, +)
            rows.append([name, "\(kind.served)", "\(kind.bytes)", "\(errors)"])
            for (error, count) in kind.errors { problems.append("\(name): \(count) times \(error)") }
            if kind.served == 0 { problems.append("\(name): nobody was served") }
            if kind.served > 0 && errors == 0 { passed += 1 }
        }
    }

    /// What the clients at a pace said; had there been an error they would have failed.
    mutating func take(paced text: String) {
        notes += text.split(separator: "\n").map { "paced: \($0)" }
        passed += 1
    }

    mutating func take(sleeps: Int, wakes: Int, of target: String) {
        cycles.append([target, "\(sleeps)", "\(wakes)"])
        if wakes == 0 { problems.append("\(target): it never woke") }
        // Once before the clients came.
        sleepsAmongClients += sleeps - 1
    }

    /// When all is taken: a soak in which nobody slept has shown nothing.
    var verdict: [String] { problems + (sleepsAmongClients > 0 ? [] : ["nothing fell asleep among its clients"]) }

    var table: String {
        ([Self.align(rows), "", Self.align(cycles), ""] + notes).joined(separator: "\n")
    }

    private static func align(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
