import StatusAPI

/// The table of `zeropod status`.
package struct StatusTable {
    private let rows: [[String]]

    /// - Parameter now: seconds since 1970.
    package init(_ containers: [FoundContainer], now: Int64) {
        rows =
            [["CONTAINER", "STATE", "SINCE", "SLEPT", "LAST WAKE", "FREED", "IMAGES", "WHY AWAKE"]]
            + containers.map { Self.row($0, now) }
    }

    private static func row(_ container: FoundContainer, _ now: Int64) -> [String] {
        let report = container.report
        let isAsleep = report.state == .asleep
        return [
            container.title, report.isPaused ? "paused" : report.state.word,
            report.since.map { InWords.age(now - $0.seconds) } ?? "-",
            "\(report.checkpoints?.count ?? 0)x",
            report.restores.map { InWords.milliseconds($0.lastNanoseconds) } ?? "-",
            isAsleep ? InWords.size(report.memoryGivenBack) : "-", isAsleep ? InWords.size(report.imageBytes) : "-",
            isAsleep ? "" : report.reasons.first.map { $0.split(separator: "\n").first.map(String.init) ?? "" } ?? "",
        ]
    }

    package var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
