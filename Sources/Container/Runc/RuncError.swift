import Linux

/// A call of runc that failed.
package struct RuncError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What containerd distinguishes.
    package enum Kind: Equatable, Sendable {
        case containerNotFound
        case containerExists
        /// The process that a signal was meant for has ended.
        case processFinished
        case notRunning
        case paused
        case notPaused
        /// It runs, and the verb needs it not to.
        case stillRunning
        /// runc could not be started, or what it left behind could not be read.
        case system(SystemError)
        case other
    }

    package let verb: String
    package let container: String
    package let kind: Kind
    /// runc's own last word.
    package let message: String

    init(_ verb: String, _ container: String, message: String, status: ExitStatus) {
        self.verb = verb
        self.container = container
        kind = Self.kind(of: message, verb)
        self.message = message.isEmpty ? "ended with \(status) and without a message" : message
    }

    init(_ verb: String, _ container: String, cannotStart error: SystemError) {
        self.verb = verb
        self.container = container
        kind = .system(error)
        message = error.description
    }

    /// Worded as the stock shim does: people and scripts look for it.
    package var description: String { "OCI runtime \(verb) failed: \(message)" }

    /// runc: libcontainer/error.go, exec.go, start.go, delete.go. crun: status.c, container.c, linux.c.
    static func kind(of message: String, _ verb: String) -> Kind {
        // crun puts names in between, in backquotes: container `x` does not exist. They may say anything.
        let parts = message.lowercased().split(separator: "`", omittingEmptySubsequences: false)
        let plain = stride(from: 0, to: parts.count, by: 2).map { parts[$0].drop { $0 == " " } }.joined()
        for (phrase, kind) in phrases where plain.containsText(phrase) { return kind }
        // crun's state directory or the file in it. When a container is made, other things can be missing.
        if verb != "create" && verb != "restore" && crunsAbsence.contains(where: plain.hasPrefix) {
            return .containerNotFound
        }
        return .other
    }

    private static let crunsAbsence = ["cannot open directory", "error opening file"]

    // The first that fits counts, without what stands in backquotes. Other things "do not exist" too: a program, a root file system.
    private static let phrases: [(String, Kind)] = [
        ("container does not exist", .containerNotFound),
        ("container with given id already exists", .containerExists),
        ("container with id exists", .containerExists),
        ("container already exists", .containerExists),
        ("process already finished", .processFinished),
        ("no such process", .processFinished),
        ("container not running", .notRunning),
        ("container is not running", .notRunning),
        ("process not running", .notRunning),
        ("exec in a stopped container", .notRunning),
        ("container that has stopped", .notRunning),
        ("container not paused", .notPaused),
        ("container paused", .paused),
        ("paused container", .paused),
        ("container is paused", .paused),
        ("container still running", .stillRunning),
        ("already running container", .stillRunning),
        ("that is not stopped", .stillRunning),
        ("container is not in or state", .stillRunning),
    ]
}
