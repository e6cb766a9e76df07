import StatusAPI

/// How long wakes took, as a small picture: a bar for each bucket of the shim's histogram, from quick to slow.
struct WakePlot {
    private static let height = 24
    private static let bar = (width: 9, gap: 2)

    /// How many took longer than the last limit and at most this, in milliseconds; nil: longer than all.
    private let buckets: [(limit: UInt64?, count: UInt64)]

    /// Nil before the first wake.
    init?(_ durations: Durations?) {
        guard let durations, durations.count > 0 else { return nil }
        var before: UInt64 = 0
        var buckets: [(UInt64?, UInt64)] = []
        for (limit, count) in zip(durations.limitMilliseconds, durations.cumulative) {
            buckets.append((limit, count - min(before, count)))
            before = count
        }
        self.buckets = buckets + [(nil, durations.count - min(before, durations.count))]
    }

    var svg: String {
        let most = buckets.map(\.count).max() ?? 0
        let width = buckets.count * (Self.bar.width + Self.bar.gap)
        let bars = buckets.enumerated().map { index, bucket in
            // What has happened once is seen, however often the others did.
            let height = bucket.count == 0 ? 1 : max(3, Int(bucket.count * UInt64(Self.height) / max(most, 1)))
            let tip = bucket.limit.map { "at most \($0) ms" } ?? "longer"
            return "<rect x=\"\(index * (Self.bar.width + Self.bar.gap))\" y=\"\(Self.height - height)\""
                + " width=\"\(Self.bar.width)\" height=\"\(height)\"><title>\(tip): \(bucket.count)</title></rect>"
        }
        let label = buckets.filter { $0.count > 0 }.map { bucket in
            "\(bucket.count) \(bucket.limit.map { "within \($0) ms" } ?? "longer")"
        }
        return "<svg role=\"img\" aria-label=\"wakes: \(label.joined(separator: ", "))\" width=\"\(width)\""
            + " height=\"\(Self.height)\" fill=\"currentColor\">\(bars.joined())</svg>"
    }
}
