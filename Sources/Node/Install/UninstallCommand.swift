import Glibc
import Linux

/// `zeropod uninstall`: puts back what `zeropod install` changed, unless a container still needs it.
package struct UninstallCommand {
    package var place: InstallCommand

    package init(_ place: InstallCommand) { self.place = place }

    package func run(_ tell: (String) -> Void) throws {
        let containerd = try place.containerd()
        let users = try containerd.containers(ofRuntime: "io.containerd.zeropod.v2")
        guard users.isEmpty else {
            throw Problem(
                "these containers use the runtime; delete their pods first:\n  " + users.joined(separator: "\n  "))
        }
        let prefix = try installedPrefix(containerd)
        let restart = Restart(containerd, prefix: prefix, command: place.restartCommand)
        if containerd.host.exists(prefix) { try restart.willBeNeeded() }
        let registration = RuntimeRegistration(containerd, shim: "")
        if try registration.remove() {
            tell("took the runtime out of \(containerd.flavor.configuration)")
            if place.restarts { tell("restarted containerd: \(try restart.run())") }
        }
        try? restart.isDone()
        try ProgramFiles(containerd.host, from: "", to: prefix).remove()
        for directory in ["/var/lib/zeropod", "/run/zeropod"] {
            do throws(SystemError) {
                try Files.removeTree(containerd.host.path(directory))
            } catch {
                // A file system of its own is emptied, and stays.
                guard error.code == EBUSY else { throw error }
            }
        }
        tell("removed \(prefix), /var/lib/zeropod and /run/zeropod")
    }

    /// Where the programs are, as containerd's configuration has it, unless it was said: GKE's nodes keep them elsewhere.
    private func installedPrefix(_ containerd: Containerd) throws -> String {
        if place.prefix != InstallCommand().prefix { return place.prefix }
        let file = containerd.flavor.rendered ?? containerd.flavor.configuration
        guard containerd.host.exists(file), let shim = try containerd.dump(file).shim else { return place.prefix }
        let end = "/bin/\(InstallCommand.shim)"
        return shim.hasSuffix(end) ? String(shim.dropLast(end.count)) : place.prefix
    }
}
