/// One metric with all its samples, in Prometheus' text format (version 0.0.4).
struct MetricFamily {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private let name: String
    private let kind: Kind
    private let help: String
    private var lines: [String] = []

    init(_ name: String, _ kind: Kind, _ help: String) {
        (self.name, self.kind, self.help) = (name, kind, help)
    }

    mutating func add(_ value: String, _ labels: Labels = [:], suffix: String = "") {
        lines.append("\(name)\(suffix)\(labels.text) \(value)")
    }

    mutating func add(_ value: some FixedWidthInteger, _ labels: Labels = [:]) {
        add(String(value), labels)
    }

    /// Nothing if there is no sample: a metric that nothing is known of is not there.
    var text: String {
        lines.isEmpty
            ? "" : "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n\(lines.joined(separator: "\n"))\n"
    }
}

/// The labels of a sample, in the order of writing.
struct Labels: ExpressibleByDictionaryLiteral {
    private var pairs: [(String, String)]

    init(dictionaryLiteral elements: (String, String)...) { pairs = elements }

    func with(_ name: String, _ value: String) -> Labels {
        var result = self
        result.pairs.append((name, value))
        return result
    }

    var text: String {
        if pairs.isEmpty { return "" }
        return "{" + pairs.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
