import StatusAPI

/// How long wakes took, as a small picture: a bar for each bucket of the shim's histogram, from quick to slow.
struct WakePlot {
    private static let height = 26
    private static let bar = (width: 7, gap: 2)

    private struct Bucket {
        /// How many took longer than the bucket before and at most this, in milliseconds; nil: longer than all.
        let limit: UInt64?
        var count: UInt64

        var inWords: String {
            switch limit {
            case nil: "longer"
            case let limit? where limit >= 1000: "within \(limit / 1000).\(limit % 1000 / 100) s"
            case let limit?: "within \(limit) ms"
            }
        }
    }

    private var buckets: [Bucket]
    let count: UInt64

    /// Nil before the first wake.
    init?(_ durations: Durations?) {
        guard let durations, durations.count > 0 else { return nil }
        var before: UInt64 = 0
        buckets = zip(durations.limitMilliseconds, durations.cumulative).map { limit, count in
            defer { before = count }
            return Bucket(limit: limit, count: count - min(before, count))
        }
        buckets.append(Bucket(limit: nil, count: durations.count - min(before, durations.count)))
        count = durations.count
    }

    /// All of them in one; those of a shim with other buckets, of another version, are left out.
    init?(sumOf all: [Durations]) {
        let plots = all.compactMap(WakePlot.init)
        guard let first = plots.first else { return nil }
        let limits = first.buckets.map(\.limit)
        let alike = plots.filter { $0.buckets.map(\.limit) == limits }
        buckets = limits.indices.map { index in
            Bucket(limit: limits[index], count: alike.reduce(0) { $0 + $1.buckets[index].count })
        }
        count = alike.reduce(0) { $0 + $1.count }
    }

    /// How long half of them took at most.
    var median: String {
        var seen: UInt64 = 0
        for bucket in buckets {
            seen += bucket.count
            if seen * 2 >= count { return bucket.inWords }
        }
        return ""
    }

    var svg: String {
        let most = max(buckets.map(\.count).max() ?? 0, 1)
        let step = Self.bar.width + Self.bar.gap
        let bars = buckets.enumerated().map { index, bucket in
            // What has happened once is seen, however often the others did.
            let height = bucket.count == 0 ? 1 : max(4, Int(bucket.count * UInt64(Self.height) / most))
            return "<rect x=\"\(index * step)\" y=\"\(Self.height - height)\" width=\"\(Self.bar.width)\""
                + " height=\"\(height)\"\(bucket.count == 0 ? " class=none" : "")>"
                + "<title>\(bucket.inWords): \(bucket.count)</title></rect>"
        }
        let label = buckets.filter { $0.count > 0 }.map { "\($0.count) \($0.inWords)" }
        return "<svg role=\"img\" aria-label=\"wakes: \(label.joined(separator: ", "))\""
            + " width=\"\(buckets.count * step - Self.bar.gap)\" height=\"\(Self.height)\">\(bars.joined())</svg>"
    }
}
