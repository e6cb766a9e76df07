/// What the user configured for a container, as far as the lifecycle is concerned. Times in nanoseconds.
package struct Policy: Hashable, Sendable {
    /// How long without traffic until the container falls asleep.
    package let scaleDownAfter: UInt64
    /// The same, for its first sleep.
    package let firstScaleDownAfter: UInt64
    /// For how long after its start processes at work put that off.
    package let longestStart: UInt64
    /// Reasons that hold for the whole life of the container.
    package let standingReasons: [Reason]
    /// The container sleeps though no TCP port is known: something else wakes it.
    package let sleepsWithoutPorts: Bool
    package let ways: Ways
    /// Processes at work keep it awake for as long as they are.
    package let workCounts: Bool

    /// The ways of sleeping that are allowed.
    package struct Ways: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let checkpoint = Ways(rawValue: 1)
        /// The processes stay, and stand still.
        package static let freeze = Ways(rawValue: 2)
        package static let all: Ways = [.checkpoint, .freeze]
    }

    package init(
        scaleDownAfter: UInt64, first: UInt64? = nil, longestStart: UInt64 = Self.longestStart,
        standingReasons: [Reason] = [], sleepsWithoutPorts: Bool = false, ways: Ways = .all, workCounts: Bool = false
    ) {
        self.scaleDownAfter = max(scaleDownAfter, Self.shortest)
        firstScaleDownAfter = first.map { max($0, Self.shortest) } ?? self.scaleDownAfter
        self.longestStart = longestStart
        self.standingReasons = standingReasons
        self.sleepsWithoutPorts = sleepsWithoutPorts
        self.ways = ways
        self.workCounts = workCounts
    }

    /// Longer than most starts take. A program that always computes is kept from its first sleep for so long.
    package static let longestStart: UInt64 = 600_000_000_000

    /// A checkpoint takes about as long. Less would be looking all the time.
    private static let shortest: UInt64 = 10_000_000

    package var mayEverSleep: Bool {
        standingReasons.isEmpty || ways.contains(.freeze) && standingReasons.allSatisfy(\.allowsFreezing)
    }

    /// An application listens soon after its start, or late: the first look comes early, and each further one after
    /// twice the time, until the ports are known.
    var firstLook: UInt64 { min(scaleDownAfter, 250_000_000) }

    /// An idle connection cannot be told from one whose client waits for an answer if the client spoke last (HTTP/2
    /// settings, one-way protocols). So a container waits so long for an answer and no longer: the most that proxies
    /// commonly wait.
    var longestAnswer: UInt64 { max(scaleDownAfter, 300_000_000_000) }

    /// What made a checkpoint fail seldom goes away at once, and each attempt stops the processes for a moment.
    var retryAfterFailure: UInt64 { max(scaleDownAfter, 60_000_000_000) }

    /// How long a container is frozen only, once CRIU has refused it. What an application is made of changes seldom.
    var retryAfterRefusal: UInt64 { max(scaleDownAfter, 3_600_000_000_000) }
}
