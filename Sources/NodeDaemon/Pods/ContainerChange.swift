import Protobuf
import StatusAPI

/// Something that has happened to a container and is worth an event: exactly one for each that its shim has counted.
struct ContainerChange: Equatable {
    enum Kind: String {
        case asleep = "s"
        case awake = "w"
        case frozen = "f"
        case thawed = "t"
        case checkpointFailed = "cf"
        case restoreFailed = "rf"
    }

    let kind: Kind
    /// The how manieth of its kind since the container's start.
    let number: UInt64
    /// Nanoseconds; 0 where it is not known any more.
    var took: UInt64 = 0

    /// Between two reports, in the order of happening. Reports are made at every change, but may be read late: then there
    /// are several changes between them, of which only the last of a kind has a length.
    static func between(_ old: ContainerReport, _ new: ContainerReport) -> [ContainerChange] {
        let changes: [Kind: [ContainerChange]] = [
            .asleep: timed(.asleep, old.checkpoints?.count ?? 0, new.checkpoints),
            .awake: timed(.awake, old.restores?.count ?? 0, new.restores),
            .frozen: counted(.frozen, old.freezes, new.freezes), .thawed: counted(.thawed, old.thaws, new.thaws),
        ]
        let failedSleeps = counted(.checkpointFailed, old.checkpointErrors, new.checkpointErrors)
        let failedWakes = counted(.restoreFailed, old.restoreErrors, new.restoreErrors)
        return failedSleeps + inOrder(changes, from: old.lastChange, to: new.lastChange) + failedWakes
    }

    private static func timed(_ kind: Kind, _ before: UInt64, _ now: Durations?) -> [ContainerChange] {
        var changes = counted(kind, before, now?.count ?? 0)
        if let now, let last = changes.indices.last { changes[last].took = now.lastNanoseconds }
        return changes
    }

    private static func counted(_ kind: Kind, _ before: UInt64, _ now: UInt64) -> [ContainerChange] {
        now > before ? (before + 1...now).map { ContainerChange(kind: kind, number: $0) } : []
    }

    /// A container falls asleep and wakes by turns. Between two ways of sleeping the one that it is in at the end is the
    /// later one.
    private static func inOrder(
        _ changes: [Kind: [ContainerChange]], from first: Kind, to last: Kind
    ) -> [ContainerChange] {
        var left = changes.mapValues { $0[...] }
        var result: [ContainerChange] = []
        let sleeps: [Kind] = last == .asleep ? [.frozen, .asleep] : [.asleep, .frozen]
        var state = first
        while true {
            let expected: [Kind] =
                switch state {
                case .asleep: [.awake]
                case .frozen: [.thawed]
                default: sleeps
                }
            guard let next = (expected + [.awake, .thawed] + sleeps).first(where: { left[$0]?.isEmpty == false }),
                let change = left[next]?.popFirst()
            else { return result }
            result.append(change)
            state = next
        }
    }
}

extension ContainerReport {
    /// As the counts have it: a sleep is counted when it begins to last, a wake when it has ended.
    fileprivate var lastChange: ContainerChange.Kind {
        if (checkpoints?.count ?? 0) > (restores?.count ?? 0) { return .asleep }
        return freezes > thaws ? .frozen : .awake
    }
}
