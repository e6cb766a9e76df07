import Linux

/// `zeropod status`: which containers of this node sleep, since when, and why the others do not.
package struct StatusCommand {
    package let asJSON: Bool
    /// Sandboxes too, which never sleep.
    package let all: Bool

    package init(asJSON: Bool, all: Bool) {
        self.asJSON = asJSON
        self.all = all
    }

    /// Gives what to print, and lines about shims that did not answer.
    /// - Parameter width: of the window that it is printed to, if there is one.
    package func run(_ directory: ShimDirectory = ShimDirectory(), width: Int? = nil) throws(SystemError) -> (
        text: String, problems: [String]
    ) {
        let (found, problems) = try directory.containers()
        let shown = found.filter { all || !$0.report.isSandbox }.sorted { $0.title < $1.title }
        let now = WallClockTime.now.seconds
        if asJSON { return (StatusDocument.make(shown, now: now), problems) }
        if shown.isEmpty { return ("no container of this node runs with zeropod", problems) }
        return (StatusTable(shown, now: now).text(width: width), problems)
    }
}
