import Glibc
import Linux

/// `zeropod install`: puts the programs onto the host and the runtime into containerd's configuration.
///
/// It may be interrupted anywhere and run again: files come first and change nothing by themselves, the configuration
/// is replaced in one step, and a restart that is still due is remembered.
package struct InstallCommand {
    package var root = ""
    package var prefix = "/opt/zeropod"
    /// Where the files to install are; the directory above this program's own if empty.
    package var source = ""
    /// `containerd`, `k3s` or `rke2`; found out if empty.
    package var flavor = ""
    /// containerd's configuration on the host, where that is at no usual place.
    package var configuration = ""
    package var restarts = true
    package var restartCommand: [String] = []

    package init() {}

    func containerd() throws -> Containerd {
        let host = Host(root: root)
        var flavor = try flavor.isEmpty ? ContainerdFlavor.find(on: host) : ContainerdFlavor.named(flavor, on: host)
        if !configuration.isEmpty { flavor = .standard(configuration: configuration) }
        return try Containerd(host, flavor)
    }

    var files: ProgramFiles {
        get throws {
            var source = source
            if source.isEmpty {
                let program = try Files.target(ofLink: "/proc/self/exe")
                source = program.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
            }
            guard Files.exists("\(source)/bin/\(Self.shim)") else {
                throw Problem("there is no \(source)/bin/\(Self.shim): say with --from where the files to install are")
            }
            return ProgramFiles(Host(root: root), from: source, to: prefix)
        }
    }

    private func copy(_ files: ProgramFiles) throws -> [String] {
        do throws(SystemError) {
            return try files.copy()
        } catch {
            // Container-Optimized OS, Bottlerocket, Talos, …
            guard error.code == EROFS else { throw error }
            throw Problem(
                "\(prefix) is on a file system that is read-only, so nothing was changed: name another place with --prefix"
            )
        }
    }

    static let shim = "containerd-shim-zeropod-v2"

    /// - Parameter tell: told of each step that changed something.
    package func run(_ tell: (String) -> Void) throws {
        let containerd = try containerd()
        let files = try files
        // All that may be refused comes before the first change.
        let registration = RuntimeRegistration(containerd, shim: "\(prefix)/bin/\(Self.shim)")
        let change = try registration.addition()
        let restart = Restart(containerd, prefix: prefix, command: restartCommand)
        if restarts && change != nil { _ = try restart.commandLine() }

        for file in try copy(files) { tell("wrote \(prefix)/\(file)") }
        if let change {
            try restart.willBeNeeded()
            try change.make()
            tell("registered the runtime 'zeropod' in \(change.file)")
        } else if !restart.isNeeded {
            return tell("the runtime 'zeropod' is registered in \(containerd.flavor.configuration)")
        }
        if !restarts { return tell("containerd has to be restarted") }
        do {
            tell("restarted containerd: \(try restart.run())")
        } catch {
            throw Problem("the runtime is registered, and containerd does not know it yet: \(error)")
        }
    }
}
