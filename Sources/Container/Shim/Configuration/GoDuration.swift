/// Durations as Go's time.ParseDuration reads them: `300ms`, `1.5h`, `2h45m`. Kubernetes users write them so.
enum GoDuration {
    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
    ]

    /// Nanoseconds; nil if the text is no duration, or a negative one.
    static func parse(_ text: String) -> UInt64? {
        var rest = Substring(text)
        if rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return 0 }
        if rest.isEmpty { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isASCII && $0.isNumber) && $0 != "." }
            rest = rest.dropFirst(unit.count)
            // Go reads "5." and ".5" too; Swift wants a digit on both sides.
            let readable = number.contains(".") ? "0\(number)0" : String(number)
            guard number.contains(where: \.isNumber), let value = Double(readable), let scale = units[String(unit)]
            else {
                return nil
            }
            total += value * scale
        }
        // Go's durations are 64-bit signed.
        return total < 9.2e18 ? UInt64(total.rounded()) : nil
    }
}
