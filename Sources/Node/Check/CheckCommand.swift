/// `zeropod check`: what this node can do, and what to do about what it cannot.
package struct CheckCommand {
    package var place = InstallCommand()
    package var asJSON = false

    package init() {}

    package func run() -> FindingsReport {
        if PodChecks.isNeeded { return PodChecks(prefix: place.prefix).run() }
        let host = Host(root: place.root)
        return FindingsReport(
            KernelChecks().run() + ResourceChecks(host: host).run() + ProgramChecks(place: place).run())
    }
}
