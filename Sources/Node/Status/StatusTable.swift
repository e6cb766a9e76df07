import StatusAPI

/// The table of `zeropod status`.
package struct StatusTable {
    /// Given up, in this order, where a window is narrow; `--json` has everything.
    private static let dispensable = ["IMAGES", "SLEPT"]
    private static let shortestTitle = 12
    private static let space = "  "

    private struct Column {
        let head: String
        var cells: [String]

        var width: Int { max(head.count, cells.map(\.count).max() ?? 0) }
    }

    private let columns: [Column]
    private let reasons: [String]

    /// - Parameter now: seconds since 1970.
    package init(_ containers: [FoundContainer], now: Int64) {
        let reports = containers.map(\.report)
        func size(_ bytes: (ContainerReport) -> UInt64) -> [String] {
            reports.map { $0.state == .asleep || bytes($0) > 0 ? InWords.size(bytes($0)) : "-" }
        }
        columns = [
            Column(head: "CONTAINER", cells: containers.map(\.title)),
            Column(head: "STATE", cells: reports.map { $0.isPaused ? "paused" : $0.state.word }),
            Column(head: "SINCE", cells: reports.map { $0.since.map { InWords.age(now - $0.seconds) } ?? "-" }),
            Column(head: "SLEPT", cells: reports.map { "\($0.sleeps)x" }),
            Column(
                head: "LAST WAKE",
                cells: reports.map { report in
                    guard let last = report.freezes > 0 ? report.wakes : report.restores, last.count > 0 else {
                        return "-"
                    }
                    return InWords.milliseconds(last.lastNanoseconds)
                }),
            Column(head: "FREED", cells: size(\.memoryGivenBack)),
            Column(head: "IMAGES", cells: size(\.imageBytes)),
        ]
        reasons = reports.map { $0.why(now: now) }
    }

    /// - Parameter width: of the window; nil where nobody looks through one.
    package func text(width: Int? = nil) -> String {
        let whole = Self.lines(columns + [Column(head: "WHY", cells: reasons)])
        guard let width, whole.contains(where: { $0.count > width }) else { return whole.joined(separator: "\n") }
        let narrow = Self.lines(columns(fitting: width))
        return zip(narrow, [""] + reasons).flatMap { line, reason in
            [line] + Self.wrapped(reason, width - Self.space.count).map { Self.space + $0 }
        }.joined(separator: "\n")
    }

    /// Without what would not fit. Reasons are not among them: they stand below their lines.
    private func columns(fitting width: Int) -> [Column] {
        func excess(_ columns: [Column]) -> Int {
            columns.reduce(-Self.space.count) { $0 + $1.width + Self.space.count } - width
        }
        var fitting = columns
        for head in Self.dispensable where excess(fitting) > 0 { fitting.removeAll { $0.head == head } }
        let most = max(Self.shortestTitle, fitting[0].width - max(0, excess(fitting)))
        fitting[0].cells = fitting[0].cells.map { Self.shortened($0, to: most) }
        return fitting
    }

    private static func lines(_ columns: [Column]) -> [String] {
        (0...(columns.first?.cells.count ?? 0)).map { row in
            let cells = columns.map { column in
                let cell = row == 0 ? column.head : column.cells[row - 1]
                return cell + String(repeating: " ", count: column.width - cell.count)
            }
            return String(cells.joined(separator: space).reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Namespace and container are at the ends, and what tells pods apart is near the second.
    private static func shortened(_ title: String, to width: Int) -> String {
        if title.count <= width { return title }
        let head = (width - 1) / 3
        return "\(title.prefix(head))…\(title.suffix(width - 1 - head))"
    }

    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
