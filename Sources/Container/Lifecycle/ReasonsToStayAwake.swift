/// Why a container does not sleep. Shown to users, who ask exactly that.
package enum Reason: String, Hashable, Sendable, CaseIterable {
    /// The sandbox (pause) container has nothing to gain.
    case sandbox = "it is the sandbox"
    case notSelected = "it is not among zeropod.ctrox.dev/container-names"
    case disabled = "zeropod.ctrox.dev/scaledown-duration is 0"
    case checkpointingDisabled = "zeropod.ctrox.dev/disable-checkpointing is set"
    case terminal = "it has a terminal"
    case hostNetwork = "it shares the network of the node"
    case sharedProcesses = "it shares its process namespace with other containers"
    /// The node lacks something; the text names it.
    case unable = "this node cannot checkpoint it"
    case portsUnknown = "no listening TCP port has been found yet"
    case portsMissing = "it does not listen yet on all that zeropod.ctrox.dev/ports-map names"
    case notReady = "it is not ready"
    case busy = "an exec or another request is using it"
    case requestInFlight = "it has not answered a request yet"
    case working = "its processes are at work while connections are open"
    case computing = "its processes are at work, and zeropod.ctrox.dev/activity is work"
    case startUnderWay = "its processes are at work, and it has not slept yet"
    case connected = "a connection to it is open, and zeropod.ctrox.dev/activity is connections"
    case paused = "it is paused"
    case refused = "it cannot be checkpointed"
    case checkpointFailed = "its last checkpoint failed"
    case freezeFailed = "it could not be frozen"

    /// Reasons that are told from processor time.
    static let work: [Reason] = [.working, .computing, .startUnderWay]

    /// How a sleep went that was tried: told, and tried again.
    var isTriedAgain: Bool {
        switch self {
        case .refused, .checkpointFailed, .freezeFailed: true
        default: false
        }
    }

    /// Stands in the way of a checkpoint alone: the container can be frozen.
    var allowsFreezing: Bool { self == .sharedProcesses || isTriedAgain }
}

/// The reasons that hold now, each with a text for people where there is more to say.
package struct ReasonsToStayAwake: Hashable, Sendable {
    private var texts: [Reason: String] = [:]

    package mutating func insert(_ reason: Reason, _ text: String = "") { texts[reason] = text }
    package mutating func remove(_ reason: Reason) { texts[reason] = nil }
    package func contains(_ reason: Reason) -> Bool { texts[reason] != nil }

    var allowCheckpoint: Bool { texts.keys.allSatisfy(\.isTriedAgain) }
    var allowFreezing: Bool { texts.keys.allSatisfy(\.allowsFreezing) }
    /// Whether the last sleep that was tried has failed.
    package var haveFailure: Bool { texts.keys.contains(where: \.isTriedAgain) }

    /// How the next sleep goes that is tried is not known yet.
    mutating func removeFailures() { texts = texts.filter { !$0.key.isTriedAgain } }

    /// For people, one reason a line of the list.
    package var descriptions: [String] {
        Reason.allCases.compactMap { reason in
            texts[reason].map { $0.isEmpty ? reason.rawValue : "\(reason.rawValue): \($0)" }
        }
    }
}
