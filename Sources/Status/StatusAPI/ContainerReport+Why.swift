/// Why a container sleeps or does not, for people.
extension ContainerReport {
    /// One line, never empty: what stands in the way comes first, then who has used it or woke it last.
    ///
    /// - Parameter now: seconds since 1970.
    package func why(now: Int64) -> String {
        let parts =
            switch state {
            case .asleep: ownReasons.isEmpty ? ["nobody needs it", wokenLast(now)] : ownReasons
            case .frozen: [whyFrozen, wokenLast(now)]
            case .exited: ["it has ended"]
            case .starting: ownReasons + ["it has not been started yet"]
            case .checkpointing: ["it is falling asleep"]
            case .restoring: ownReasons + ["it is waking"]
            default: ownReasons.isEmpty ? [used(now), sleepsAfter] : ownReasons + [usedLast]
            }
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// The same without what changes by the clock or with each packet, so that it can be written down.
    package var lastingWhy: String {
        let parts =
            switch state {
            case .frozen: [whyFrozen, wokenLast(nil)]
            case .asleep: (ownReasons.isEmpty ? ["nobody needs it"] : ownReasons) + [wokenLast(nil)]
            default: (ownReasons.isEmpty ? ["nothing stands in its way", sleepsAfter] : ownReasons) + [wokenLast(nil)]
            }
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// Why it is frozen rather than checkpointed: CRIU's reason, or what it shares. With none, it was asked for.
    package var whyFrozen: String {
        ownReasons.isEmpty ? "zeropod.ctrox.dev/sleep is freeze" : ownReasons.joined(separator: "; ")
    }

    private var ownReasons: [String] { reasons.map(\.withoutLog).filter { !$0.isEmpty } }

    /// - Parameter now: nil: it is not said how long ago.
    private func wokenLast(_ now: Int64?) -> String {
        guard let lastWake else { return sleeps > 1 ? "" : "it has not been woken yet" }
        var age = ""
        if let now, let time = lastWake.at { age = "\(InWords.age(now - time.seconds)) ago " }
        return "woken last \(age)by \(lastWake.words)"
    }

    private func used(_ now: Int64) -> String {
        guard let lastUse else { return "nobody has used it yet" }
        let age = InWords.age(now - lastUse.seconds)
        if lastUsePort == 0 { return "a connection came \(age) ago to a port on which nobody listens" }
        return "used \(age) ago at port \(lastUsePort)"
            + (lastUser.map { ", over \($0.connection)" } ?? "")
    }

    private var usedLast: String { lastUser.map { "used last over \($0.connection)" } ?? "" }

    private var sleepsAfter: String {
        // Shims of an earlier version do not say.
        if scaleDownAfter == 0 { return "it sleeps once it is idle for long enough" }
        let length =
            scaleDownAfter < 1_000_000_000
            ? InWords.milliseconds(scaleDownAfter) : InWords.age(Int64(clamping: scaleDownAfter / 1_000_000_000))
        return "it sleeps after \(length) without use"
    }
}

extension CallerReport {
    fileprivate var connection: String {
        isOutgoing ? "its own connection to \(peer)" : "the connection from \(peer) to port \(port)"
    }
}

extension String {
    /// Without lines of CRIU's log, which name what a container has open: they are for root on the node.
    package var withoutLog: String {
        let line = prefix { !$0.isNewline }
        let introduction = "; its log ends:"
        return String(line.hasSuffix(introduction) ? line.dropLast(introduction.count) : line)
    }
}
