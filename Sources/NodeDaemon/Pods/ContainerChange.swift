import Protobuf
import StatusAPI

/// Something that has happened to a container and is worth an event: exactly one for each that its shim has counted.
struct ContainerChange: Equatable {
    enum Kind: String {
        case asleep = "s"
        case awake = "w"
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
        let sleeps = changes(.asleep, old.checkpoints?.count ?? 0, new.checkpoints)
        let wakes = changes(.awake, old.restores?.count ?? 0, new.restores)
        let failedSleeps = failures(.checkpointFailed, old.checkpointErrors, new.checkpointErrors)
        let failedWakes = failures(.restoreFailed, old.restoreErrors, new.restoreErrors)
        return failedSleeps + alternating(sleeps, wakes, wasAsleep: old.isAsleep) + failedWakes
    }

    private static func changes(_ kind: Kind, _ before: UInt64, _ now: Durations?) -> [ContainerChange] {
        let count = now?.count ?? 0
        guard count > before else { return [] }
        return (before + 1...count).map { number in
            ContainerChange(kind: kind, number: number, took: number == count ? now?.lastNanoseconds ?? 0 : 0)
        }
    }

    private static func failures(_ kind: Kind, _ before: UInt64, _ now: UInt64) -> [ContainerChange] {
        now > before ? (before + 1...now).map { ContainerChange(kind: kind, number: $0) } : []
    }

    /// A container falls asleep and wakes by turns.
    private static func alternating(
        _ sleeps: [ContainerChange], _ wakes: [ContainerChange], wasAsleep: Bool
    ) -> [ContainerChange] {
        var (sleeps, wakes) = (sleeps[...], wakes[...])
        var result: [ContainerChange] = []
        var isAsleep = wasAsleep
        while !sleeps.isEmpty || !wakes.isEmpty {
            let next = isAsleep ? wakes.popFirst() ?? sleeps.popFirst() : sleeps.popFirst() ?? wakes.popFirst()
            if let next { result.append(next) }
            isAsleep.toggle()
        }
        return result
    }
}

extension ContainerReport {
    /// As the counts have it: a sleep is counted when it begins to last, a wake when it has ended.
    fileprivate var isAsleep: Bool { (checkpoints?.count ?? 0) > (restores?.count ?? 0) }
}
