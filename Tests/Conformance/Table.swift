import Foundation
import TestNode

struct Column: Hashable, Sendable {
    let containerd: Containerd
    let runtime: Runtime

    var title: String { "\(containerd.rawValue) \(runtime == .runc ? "stock" : "ours")" }
}

/// What became of each test, stock and ours side by side.
struct Table {
    private var order: [String] = []
    private var outcomes: [String: [Column: Outcome]] = [:]
    private var longest: (test: String, column: Column, time: Duration)?

    private static let columns = Containerd.allCases.reversed().flatMap { containerd in
        Runtime.available.map { Column(containerd: containerd, runtime: $0) }
    }

    /// Notes what became of a test, and says so at once when it failed.
    mutating func note(_ test: String, _ column: Column, _ outcome: Outcome, _ time: Duration) {
        if outcomes[test] == nil { order.append(test) }
        outcomes[test, default: [:]][column] = outcome
        if time > longest?.time ?? .zero { longest = (test, column, time) }
        switch outcome {
        case .passed: break
        // What fails with stock is no failure of this run, and should not look like one.
        case .failed(let why) where column.runtime == .runc: say("\(column.title) does not: \(test): \(why)")
        case .failed(let why): say("FAIL \(column.title): \(test): \(why)")
        case .skipped(let why): say("skip \(column.title): \(test): \(why)")
        }
    }

    subscript(test: String, column: Column) -> Outcome? { outcomes[test]?[column] }

    /// Takes from the file what became of a test.
    mutating func take(_ test: String, _ column: Column, _ outcome: Outcome) {
        outcomes[test, default: [:]][column] = outcome
    }

    /// Tests that fail with ours and not with the stock shim.
    private var regressions: [(test: String, containerd: Containerd)] {
        order.flatMap { test in
            Containerd.allCases.compactMap { containerd in
                let stock = outcomes[test]?[Column(containerd: containerd, runtime: .runc)]
                let ours = outcomes[test]?[Column(containerd: containerd, runtime: .zeropod)]
                guard case .failed = ours else { return nil }
                if case .failed = stock { return nil }
                return (test, containerd)
            }
        }
    }

    /// Prints the table, and as the last line the count of ours.
    /// - Returns: whether ours does all that stock does.
    func conclude(after time: Duration) -> Bool {
        let columns = Self.columns.filter { column in order.contains { outcomes[$0]?[column] != nil } }
        say("\n| test | \(columns.map(\.title).joined(separator: " | ")) |")
        say("|---|\(String(repeating: "---|", count: columns.count))")
        for test in order {
            say("| \(test) | \(columns.map { word(test, $0) }.joined(separator: " | ")) |")
        }
        say("")
        for (test, containerd) in regressions { say("fails with ours and not with stock, \(containerd): \(test)") }
        var counts = ["pass": 0, "FAIL": 0, "skip": 0]
        for test in order {
            for column in columns where column.runtime == .zeropod {
                if let word = outcomes[test]?[column]?.word { counts[word, default: 0] += 1 }
            }
        }
        // A test that fails with both is the machine's.
        let regressions = regressions.count
        let common = counts["FAIL", default: 0] - regressions
        if common > 0 { say("\(common) fail with the stock shim, too") }
        if let (test, column, own) = longest {
            say("\(time.inSeconds) s; the longest, \(column.title): \(test), \(own.inSeconds) s")
        }
        say(
            "\(counts["pass", default: 0]) passed, \(regressions) failed, \(counts["skip", default: 0] + common) skipped"
        )
        return regressions == 0
    }

    private func word(_ test: String, _ column: Column) -> String {
        guard let outcome = outcomes[test]?[column] else { return "–" }
        if case .failed = outcome, column.runtime == .runc { return "no" }
        return outcome.word
    }
}

extension Duration {
    var inSeconds: Int64 { components.seconds }
}

/// Unlike `print` seen at once when the output goes into a pipe.
func say(_ text: String) {
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
}
