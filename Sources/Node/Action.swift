/// What `zeropod` is called for.
package enum Action {
    case status(StatusCommand)
    case sleep(SleepCommand)
    case help

    package static let usage = """
        usage: zeropod status [--json] [--all]    what sleeps on this node, since when, and why the others do not
               zeropod sleep CONTAINER            put a container to sleep now
               zeropod wake CONTAINER             wake it
        CONTAINER is an id, its beginning, or NAMESPACE/POD/CONTAINER.
        """

    package init(_ arguments: [String]) throws(UsageError) {
        var words = arguments.filter { !$0.hasPrefix("-") }[...]
        var flags = Set(arguments.filter { $0.hasPrefix("-") })
        let verb = words.popFirst() ?? "help"
        func take(_ flag: String) -> Bool { flags.remove(flag) != nil }
        switch verb {
        case _ where take("--help") || take("-h"): self = .help
        case "help": self = .help
        case "status": self = .status(StatusCommand(asJSON: take("--json"), all: take("--all")))
        case "sleep", "wake":
            guard let container = words.popFirst() else {
                throw UsageError(description: "zeropod \(verb): which container?")
            }
            self = .sleep(SleepCommand(verb == "sleep" ? .sleep : .wake, container))
        default: throw UsageError(description: "zeropod: there is no verb '\(verb)'")
        }
        if let flag = flags.first { throw UsageError(description: "zeropod \(verb): there is no flag '\(flag)'") }
        if let word = words.first { throw UsageError(description: "zeropod \(verb): '\(word)' is one word too many") }
    }
}

package struct UsageError: Error, CustomStringConvertible {
    package let description: String
}
