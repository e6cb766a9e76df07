import Linux
import StatusAPI

/// `zeropod sleep` and `zeropod wake`: what a container would do by itself, now.
package struct SleepCommand {
    package enum Verb: String {
        case sleep = "Sleep"
        case wake = "Wake"
    }

    private let verb: Verb
    private let container: String

    package init(_ verb: Verb, _ container: String) {
        self.verb = verb
        self.container = container
    }

    /// Gives what has become of the container, for people.
    package func run(_ directory: ShimDirectory = ShimDirectory()) throws -> String {
        let found = FoundContainer.meant(by: container, among: try directory.containers().found)
        guard let one = found.first else {
            throw ShimFailure(description: "no container '\(container)': 'zeropod status' lists those of this node")
        }
        if found.count > 1 {
            let titles = found.map { "\($0.report.id.prefix(12)) \($0.title)" }.joined(separator: ", ")
            throw ShimFailure(description: "'\(container)' may be one of several: \(titles)")
        }
        do {
            try ShimConnection(one.socket).ask(verb.rawValue, one.report.id)
        } catch {
            throw ShimFailure(description: "\(one.title): \(error)")
        }
        let list = try ShimConnection(one.socket).list()
        let now = list.containers.first { $0.id == one.report.id } ?? one.report
        return Self.outcome(verb, of: one.report, now)
    }

    static func outcome(_ verb: Verb, of before: ContainerReport, _ after: ContainerReport) -> String {
        let title = after.title
        if before.sleeps == after.sleeps && before.wakings == after.wakings {
            return verb == .sleep ? "\(title) was asleep already" : "\(title) was awake already"
        }
        switch after.state {
        case .asleep:
            let freed = InWords.size(after.memoryGivenBack)
            return "\(title) is asleep: \(freed) of memory are free, its images have \(InWords.size(after.imageBytes))"
        case .frozen: return "\(title) is frozen: \(after.whyFrozen)"
        default:
            if verb == .sleep { return "\(title) was asleep, and is \(after.state.word) again" }
            let restores = (before.restores?.count ?? 0, after.restores?.count ?? 0)
            guard restores.0 < restores.1, let took = after.restores?.lastNanoseconds else {
                return "\(title) is awake"
            }
            return "\(title) is awake: to restore it took \(InWords.milliseconds(took))"
        }
    }
}
