import Foundation

/// How long tests and steps took when `make durations` was last called: lines of seconds and a name, in Tests/durations.
/// They decide what begins first and what is told of the time left, and no more: who is not in it is run like the others.
struct Durations: Sendable {
    private var seconds: [String: Double] = [:]
    /// What is shorter is not written down.
    static let least = 0.1

    init(file: URL) {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t")
            if parts.count == 2, let time = Double(parts[0]) { seconds[String(parts[1])] = time }
        }
    }

    /// Nil for what is short or not known.
    subscript(name: String) -> Double? {
        get { seconds[name] }
        set { seconds[name] = newValue }
    }

    /// - Parameter known: names that are there still; others are dropped.
    func write(to file: URL, known: Set<String>) throws {
        let lines = seconds.filter { known.contains($0.key) && $0.value >= Self.least }
            .sorted { $0.key < $1.key }
            .map { "\(String(format: "%.1f", $0.value))\t\($0.key)\n" }
        try lines.joined().write(to: file, atomically: true, encoding: .utf8)
    }
}
