import Linux

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

    package func run(_ directory: ShimDirectory = ShimDirectory()) throws {
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
    }
}
