import Glibc
import Linux
import StatusAPI

/// `zeropod uninstall`: puts back what `zeropod install` changed, unless a container still needs it.
package struct UninstallCommand {
    package var place: InstallCommand

    package init(_ place: InstallCommand) { self.place = place }

    package func run(_ tell: (String) -> Void) throws {
        let containerd = try place.containerd()
        let users = try users(containerd)
        guard users.isEmpty else {
            throw Problem(
                "these containers use the runtime; delete their pods first:\n  " + users.joined(separator: "\n  "))
        }
        let prefix = try installedPrefix(containerd)
        let restart = Restart(containerd, prefix: prefix, command: place.restartCommand)
        let registration = RuntimeRegistration(containerd, shim: "")
        // What may be refused comes before the first change.
        if place.restarts && (registration.isThere || restart.isNeeded) { _ = try restart.commandLine() }
        let files = try registration.remove {
            guard containerd.host.exists(prefix) else { return }
            try Files.create(note(containerd), with: prefix)
            try restart.willBeNeeded()
        }
        for file in files { tell("took the runtime out of \(file)") }
        // Due as well if the attempt before was cut short.
        if place.restarts && (!files.isEmpty || restart.isNeeded) { tell("restarted containerd: \(try restart.run())") }
        try? restart.isDone()
        try ProgramFiles(containerd.host, from: "", to: prefix).remove()
        for directory in ["/var/lib/zeropod", "/var/lib/zeropod-node", "/run/zeropod"] {
            do throws(SystemError) {
                try Files.removeTree(containerd.host.path(directory))
            } catch {
                // A file system of its own is emptied, and stays.
                guard error.code == EBUSY else { throw error }
            }
        }
        try Files.remove(note(containerd))
        tell("removed \(prefix), /var/lib/zeropod and /run/zeropod")
    }

    /// Where the programs are, for an attempt that is made again after the runtime was taken out of the configuration.
    private func note(_ containerd: Containerd) -> String {
        containerd.host.path("\(containerd.flavor.configuration).zeropod-prefix")
    }

    /// As the shims list them, which live on while containerd is away; and as containerd does, which knows those without a
    /// shim too, but tells them from the stock shim's only by the type that was registered before. A line for each.
    private func users(_ containerd: Containerd) throws -> [String] {
        var users: [String: String] = [:]
        for user in try containerd.containers(ofRuntime: RuntimeTable.ownType) { users[user] = user }
        let shims = ShimDirectory(containerd.host.path(StatusService.directory))
        for container in try shims.containers().found {
            let report = container.report
            let id = "\(report.namespace)/\(report.id)"
            users[id] = report.podName.isEmpty ? id : "\(id)  \(container.title)"
        }
        return users.values.sorted()
    }

    /// Where the programs are, as containerd's configuration has it, unless it was said: GKE's nodes keep them elsewhere.
    private func installedPrefix(_ containerd: Containerd) throws -> String {
        if place.prefix != InstallCommand().prefix { return place.prefix }
        if let noted = try? Files.readText(note(containerd)), noted.hasPrefix("/") { return noted }
        let file = containerd.flavor.rendered ?? containerd.flavor.configuration
        guard containerd.host.exists(file), let shim = try containerd.dump(file).shim else { return place.prefix }
        let end = "/bin/\(InstallCommand.shim)"
        return shim.hasSuffix(end) ? String(shim.dropLast(end.count)) : place.prefix
    }
}
