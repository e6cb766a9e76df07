import Linux

/// What `zeropod` is called for.
package enum Action {
    case status(StatusCommand)
    case sleep(SleepCommand)
    case check(CheckCommand)
    case install(InstallCommand)
    case uninstall(UninstallCommand)
    case node(NodeCommand)
    case version
    /// Does nothing until it is ended: what `check` has criu restore.
    case standStill
    case help

    package static let usage = """
        usage: zeropod status [--json] [--all]    what sleeps on this node, since when, and why the others do not
               zeropod sleep CONTAINER            put a container to sleep now
               zeropod wake CONTAINER             wake it
               zeropod check [--json] [PLACE]     what this node can do, and the way out where it cannot
               zeropod install [PLACE] [--no-restart | --restart-with COMMAND]
                                                  put the programs and containerd's runtime onto this host
               zeropod uninstall [PLACE] [--no-restart | --restart-with COMMAND]
                                                  put back what 'install' changed
               zeropod version                    of this program
               zeropod node [FLAG...]             the daemon: metrics, a page, labels and events ('node --help')

        CONTAINER is an id, its beginning, or NAMESPACE/POD/CONTAINER. PLACE:
          --root DIRECTORY          the host's root file system, seen from a container (/)
          --prefix DIRECTORY        where the programs go (/opt/zeropod)
          --from DIRECTORY          where bin and lib to install are (where this program is)
          --containerd KIND         containerd, k3s or rke2 (found out)
          --containerd-config FILE  containerd's configuration (/etc/containerd/config.toml)
        """

    package init(_ arguments: [String]) throws(UsageError) {
        var words = CommandWords(arguments)
        let verb = words.next() ?? "help"
        switch verb {
        case "node": self = .node(NodeCommand(words.rest()))
        case _ where words.take("--help") || verb == "--help" || verb == "help": self = .help
        case "status": self = .status(StatusCommand(asJSON: words.take("--json"), all: words.take("--all")))
        case "version", "--version": self = .version
        case "sleep", "wake":
            guard let container = words.next() else {
                throw UsageError(description: "zeropod \(verb): which container?")
            }
            self = .sleep(SleepCommand(verb == "sleep" ? .sleep : .wake, container))
        case RestoreTrial.verb: self = .standStill
        case "check":
            var command = CheckCommand()
            command.asJSON = words.take("--json")
            command.place = try Self.place(&words)
            self = .check(command)
        case "install": self = .install(try Self.installation(&words))
        case "uninstall": self = .uninstall(UninstallCommand(try Self.installation(&words)))
        default: throw UsageError(description: "zeropod: there is no verb '\(verb)'")
        }
        if case .help = self { return }
        if let word = words.next() { throw UsageError(description: "zeropod \(verb): '\(word)' is one word too many") }
    }

    private static func installation(_ words: inout CommandWords) throws(UsageError) -> InstallCommand {
        var command = try place(&words)
        command.restarts = !words.take("--no-restart")
        if let text = try words.value(of: "--restart-with") {
            command.restartCommand = text.split(separator: " ").map(String.init)
        }
        return command
    }

    private static func place(_ words: inout CommandWords) throws(UsageError) -> InstallCommand {
        var command = InstallCommand()
        if let root = try words.value(of: "--root") {
            guard Files.exists("\(root)/.") else {
                throw UsageError(description: "zeropod: --root: no directory \(root)")
            }
            command.root = root
        }
        if let prefix = try words.value(of: "--prefix") { command.prefix = prefix }
        if let source = try words.value(of: "--from") { command.source = source }
        if let kind = try words.value(of: "--containerd") {
            let kinds = ContainerdFlavor.Kind.allCases.map(\.rawValue)
            guard kinds.contains(kind) else {
                throw UsageError(
                    description: "zeropod: --containerd: there is no kind '\(kind)': it is one of "
                        + kinds.joined(separator: ", "))
            }
            command.flavor = kind
        }
        if let file = try words.value(of: "--containerd-config") { command.configuration = file }
        return command
    }
}

/// The words of a command line, taken one by one; what nobody has taken is a mistake.
struct CommandWords {
    private var words: [String]

    init(_ words: [String]) { self.words = words }

    /// All that is left.
    mutating func rest() -> [String] {
        defer { words = [] }
        return words
    }

    /// The first word that is left.
    mutating func next() -> String? { words.isEmpty ? nil : words.removeFirst() }

    mutating func take(_ flag: String) -> Bool {
        guard let index = words.firstIndex(of: flag) else { return false }
        words.remove(at: index)
        return true
    }

    mutating func value(of flag: String) throws(UsageError) -> String? {
        guard let index = words.firstIndex(of: flag) else { return nil }
        guard index + 1 < words.count else { throw UsageError(description: "zeropod: \(flag) needs a value") }
        let value = words[index + 1]
        words.removeSubrange(index...index + 1)
        return value
    }
}

package struct UsageError: Error, CustomStringConvertible {
    package let description: String
}
