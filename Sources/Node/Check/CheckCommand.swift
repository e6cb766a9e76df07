/// `zeropod check`: what this node can do, and what to do about what it cannot.
package struct CheckCommand {
    package var root = ""
    package var prefix = "/opt/zeropod"
    package var asJSON = false

    package init() {}

    package func run() -> FindingsReport {
        let host = Host(root: root)
        return FindingsReport(
            KernelChecks(host: host).run() + ResourceChecks(host: host).run()
                + ProgramChecks(host: host, prefix: prefix).run())
    }
}
