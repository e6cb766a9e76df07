import Linux

/// `zeropod check`: what this node can do, and what to do about what it cannot.
package struct CheckCommand {
    package var place = InstallCommand()
    package var asJSON = false

    package init() {}

    package func run() -> FindingsReport {
        if PodChecks.isNeeded { return PodChecks(prefix: place.prefix).run() }
        // Whether there can be a thread for the network is tried before programs are run.
        Children.blockSignal()
        let host = Host(root: place.root)
        return FindingsReport(
            KernelChecks().run() + ResourceChecks(host: host).run() + ProgramChecks(place: place).run())
    }
}
