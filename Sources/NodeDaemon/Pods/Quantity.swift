/// An amount as Kubernetes writes it: `100m`, `0.5`, `64Mi`, `1e3`. Counted in billionths, the smallest there are.
struct Quantity: Comparable {
    private let nanos: UInt128

    private static let binary: [String: UInt128] = [
        "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
    ]
    private static let decimal: [String: Int] = [
        "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
    ]

    /// Nil if it is none, or negative, which no request is, or more than can be counted here.
    init?(_ text: String) {
        let number = text.prefix { $0.isNumber && $0.isASCII || $0 == "." }
        let suffix = String(text[number.endIndex...])
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let (whole, fraction) = (parts.first ?? "", parts.count > 1 ? parts[1] : "")
        guard !(whole.isEmpty && fraction.isEmpty), !fraction.contains("."), whole.count + fraction.count <= 18,
            let digits = UInt128(whole + fraction)
        else { return nil }
        if let factor = Self.binary[suffix] {
            guard let product = Self.times(digits, factor) else { return nil }
            self.init(product, exponent: 9 - fraction.count)
        } else if let exponent = Self.decimal[suffix] ?? Self.exponent(suffix) {
            self.init(digits, exponent: 9 - fraction.count + exponent)
        } else {
            return nil
        }
    }

    /// Rounded up, as the API server does.
    private init?(_ digits: UInt128, exponent: Int) {
        var value = digits
        for _ in 0..<max(0, exponent) {
            guard let product = Self.times(value, 10) else { return nil }
            value = product
        }
        for _ in 0..<max(0, -exponent) { value = value / 10 + (value % 10 == 0 ? 0 : 1) }
        nanos = value
    }

    private static func times(_ left: UInt128, _ right: UInt128) -> UInt128? {
        let (product, isTooLarge) = left.multipliedReportingOverflow(by: right)
        return isTooLarge ? nil : product
    }

    /// `e3`, `E-2`.
    private static func exponent(_ suffix: String) -> Int? {
        guard let first = suffix.first, first == "e" || first == "E", let value = Int(suffix.dropFirst()),
            (-18...12).contains(value)
        else { return nil }
        return value
    }

    var isZero: Bool { nanos == 0 }

    static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }
}
