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
            report.since.map { age(now - $0.seconds) } ?? "-",
            "\(report.checkpoints?.count ?? 0)x", report.restores.map { milliseconds($0.lastNanoseconds) } ?? "-",
            isAsleep ? size(report.memoryGivenBack) : "-", isAsleep ? size(report.imageBytes) : "-",
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

    // MARK: Numbers for people

    static func age(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case let age where age < 120: "\(age)s"
        case let age where age < 7200: "\(age / 60)m"
        case let age where age < 172_800: "\(age / 3600)h"
        case let age: "\(age / 86_400)d"
        }
    }

    static func milliseconds(_ nanoseconds: UInt64) -> String {
        nanoseconds < 10_000_000
            ? "\(nanoseconds / 1_000_000).\(nanoseconds / 100_000 % 10)ms" : "\(nanoseconds / 1_000_000)ms"
    }

    static func size(_ bytes: UInt64) -> String {
        switch bytes {
        case 0..<1024: "\(bytes)B"
        case 0..<(1 << 20): "\(bytes >> 10)K"
        case 0..<(10 << 30): "\(bytes >> 20)M"
        default: "\(bytes >> 30)G"
        }
    }
}

extension ContainerState {
    package var word: String {
        switch self {
        case .starting: "starting"
        case .running: "running"
        case .checkpointing: "checkpointing"
        case .asleep: "asleep"
        case .restoring: "restoring"
        case .exited: "exited"
        default: "unknown"
        }
    }
}
