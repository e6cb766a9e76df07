import Foundation

/// The numbers, in the order in which their names first came up.
actor Report {
    struct Row: Encodable, Sendable {
        let name: String
        let unit: String
        var ours = Samples()
        var control = Samples()
        /// Ours by the control's, of the medians.
        var ratio: Double? {
            ours.values.isEmpty || control.values.isEmpty || control.median == 0
                ? nil : Samples.rounded(ours.median / control.median)
        }

        enum CodingKeys: CodingKey { case name, unit, ours, control, ratio }

        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(name, forKey: .name)
            try fields.encode(unit, forKey: .unit)
            try fields.encode(ours, forKey: .ours)
            // null where there can be none.
            try fields.encode(control.values.isEmpty ? nil : control, forKey: .control)
            try fields.encode(ratio, forKey: .ratio)
        }
    }

    enum Side { case ours, control }

    private(set) var rows: [Row] = []

    func note(_ name: String, _ unit: String, _ side: Side, _ value: Double) {
        let index = rows.firstIndex { $0.name == name } ?? rows.count
        if index == rows.count { rows.append(Row(name: name, unit: unit)) }
        switch side {
        case .ours: rows[index].ours.values.append(value)
        case .control: rows[index].control.values.append(value)
        }
    }

    func drop(_ names: [String]) { rows.removeAll { names.contains($0.name) } }

    func keep(where wanted: (String) -> Bool) { rows.removeAll { !wanted($0.name) } }

    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try encoder.encode(sorted)
        }
    }

    var table: String {
        let header =
            left("", 32) + right("ours", 9) + right("min", 9) + right("max", 9) + right("control", 12)
            + right("min", 9) + right("max", 9) + right("ratio", 9) + right("n", 5)
        let footer = """

            ratio: median of ours by median of the control. wake, touch and sleep: the control is runc checkpoint and
            restore of the same application under the same OCI specification; everything else: containerd's stock shim.
            """
        return ([header] + sorted.map(line) + [footer]).joined(separator: "\n")
    }

    /// Rows of one kind together.
    private var sorted: [Row] {
        func kind(_ row: Row) -> Substring { row.name.prefix { $0 != "/" } }
        var kinds: [Substring] = []
        for row in rows where !kinds.contains(kind(row)) { kinds.append(kind(row)) }
        return kinds.flatMap { one in rows.filter { kind($0) == one } }
    }

    private func line(_ row: Row) -> String {
        func number(_ value: Double) -> String {
            value < 10
                ? "\((value * 100).rounded() / 100)"
                : value < 100 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
        }
        func cells(_ samples: Samples, _ width: Int) -> String {
            let values = [samples.median, samples.min, samples.max].map { samples.values.isEmpty ? "–" : number($0) }
            return right(values[0], width) + right(values[1], 9) + right(values[2], 9)
        }
        let (ours, control) = (row.ours, row.control)
        return left(row.unit.isEmpty ? row.name : "\(row.name) [\(row.unit)]", 32)
            + cells(ours, 9) + cells(control, 12) + right(row.ratio.map { "\($0)" } ?? "–", 9)
            + right("\(ours.values.count)", 5)
    }

    private func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

struct Samples: Encodable, Sendable {
    var values: [Double] = []

    var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
    var min: Double { values.min() ?? 0 }
    var max: Double { values.max() ?? 0 }

    enum CodingKeys: CodingKey { case median, min, max, n }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(Self.rounded(median), forKey: .median)
        try fields.encode(Self.rounded(min), forKey: .min)
        try fields.encode(Self.rounded(max), forKey: .max)
        try fields.encode(values.count, forKey: .n)
    }

    /// Three digits are more than such numbers are worth.
    static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
