import Linux
import StatusAPI

/// What is to be told in events, and when each may be. A value without a clock of its own.
///
/// It has bounds for an API server that is away for long, and for a container that never rests: each container has the
/// last few of its changes in it, and all together have a limit. What is left out is counted in the event that follows
/// it. So the last change of a container is always told, at most an interval late.
struct EventBacklog {
    /// Of one container: a burst, and then one in twenty seconds, which hides none of a person's visits. (Clients of
    /// Kubernetes limit themselves to one in five minutes, which would.)
    private static let burst = 25
    private static let interval = Instant.Span.seconds(20)
    /// Of all containers: when an API server is back, every node has much to tell.
    private static let burstOfAll = 50
    private static let intervalOfAll = Instant.Span.milliseconds(200)
    /// That wait.
    private static let mostOfOne = 10
    private static let most = 1000

    struct Entry {
        let change: ContainerChange
        let report: ContainerReport
        let podUID: String
        let time: WallClockTime
        /// Changes of the container before this one that no event is made of.
        var withheld = 0
        fileprivate var number: UInt64 = 0

        init(_ change: ContainerChange, of report: ContainerReport, podUID: String, at time: WallClockTime) {
            (self.change, self.report, self.podUID, self.time) = (change, report, podUID, time)
        }
    }

    enum Next {
        case tell(Entry)
        case wait(Instant.Span)
        case nothing
    }

    private struct Teller {
        var bucket: TokenBucket
        var waiting: [Entry] = []
        var hasGone = false

        /// There has to be one.
        mutating func leaveOutFirst() {
            let left = waiting.removeFirst()
            if !waiting.isEmpty { waiting[0].withheld += left.withheld + 1 }
        }
    }

    private var tellers: [String: Teller] = [:]
    private var bucketOfAll: TokenBucket
    private var lastNumber: UInt64 = 0

    init(now: Instant) {
        bucketOfAll = TokenBucket(Self.burstOfAll, every: Self.intervalOfAll, now: now)
    }

    var count: Int { tellers.values.reduce(0) { $0 + $1.waiting.count } }

    mutating func add(_ entry: Entry, now: Instant) {
        let id = entry.report.id
        var teller = tellers[id] ?? Teller(bucket: TokenBucket(Self.burst, every: Self.interval, now: now))
        lastNumber += 1
        teller.waiting.append(entry)
        teller.waiting[teller.waiting.count - 1].number = lastNumber
        if teller.waiting.count > Self.mostOfOne { teller.leaveOutFirst() }
        tellers[id] = teller
        if count > Self.most { leaveOutOldest() }
    }

    /// The container has gone. What it did is told all the same.
    mutating func end(_ id: String) {
        tellers[id]?.hasGone = true
        tidy(id)
    }

    /// The oldest that may be told now, which is not in the backlog any more then.
    mutating func next(now: Instant) -> Next {
        if count == 0 { return .nothing }
        if let wait = bucketOfAll.wait(now: now) { return .wait(wait) }
        var oldest: (id: String, number: UInt64)?
        var shortest: Instant.Span?
        for id in tellers.keys {
            guard let first = tellers[id]?.waiting.first else { continue }
            if let wait = tellers[id]?.bucket.wait(now: now) {
                shortest = min(shortest ?? wait, wait)
                // What it did last is worth more than what it did first.
                while tellers[id]?.waiting.count ?? 0 > 1 { tellers[id]?.leaveOutFirst() }
            } else if first.number < oldest?.number ?? .max {
                oldest = (id, first.number)
            }
        }
        guard let oldest, let entry = tellers[oldest.id]?.waiting.removeFirst() else {
            return shortest.map(Next.wait) ?? .nothing
        }
        _ = tellers[oldest.id]?.bucket.take(now: now)
        _ = bucketOfAll.take(now: now)
        tidy(oldest.id)
        return .tell(entry)
    }

    /// Of a container that has something newer to tell, if there is one.
    private mutating func leaveOutOldest() {
        func rank(_ teller: Teller) -> (Int, UInt64) {
            (teller.waiting.count > 1 ? 0 : 1, teller.waiting.first?.number ?? .max)
        }
        guard let id = tellers.min(by: { rank($0.value) < rank($1.value) })?.key, tellers[id]?.waiting.isEmpty == false
        else { return }
        tellers[id]?.leaveOutFirst()
        tidy(id)
    }

    private mutating func tidy(_ id: String) {
        if let teller = tellers[id], teller.hasGone && teller.waiting.isEmpty { tellers[id] = nil }
    }
}
