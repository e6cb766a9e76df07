import Glibc
import Linux

/// The runtime `zeropod` in containerd's configuration: put in and taken out, each in one step, and nothing else changed.
package struct RuntimeRegistration {
    private let containerd: Containerd
    private let shim: String

    private var host: Host { containerd.host }
    private var flavor: ContainerdFlavor { containerd.flavor }
    private var file: String { flavor.configuration }
    /// What the file was before the first installation. Empty if there was none.
    private var original: String { "\(file).before-zeropod" }
    /// Beside the file, since relative imports are looked for there.
    private var draft: String { "\(file).zeropod-draft" }

    package init(_ containerd: Containerd, shim: String) {
        self.containerd = containerd
        self.shim = shim
    }

    /// A change of the file that containerd's parser has agreed to.
    package struct Change {
        fileprivate let before: ContainerdConfiguration?
        fileprivate let after: ContainerdConfiguration
    }

    /// What puts the runtime in; nil if it is in. Changes nothing yet.
    package func addition() throws -> Change? {
        let before = try current()
        let text = before ?? fresh
        if text.hasForeignRuntime {
            throw Problem(
                "\(file) defines a runtime 'zeropod' already, and not by 'zeropod install': remove that table first")
        }
        let understood = try dump(text.withoutRuntime)
        let version = flavor.rendered == nil ? text.version : try renderedVersion()
        guard RuntimeTable.plugin(version: version) != nil else {
            throw Problem(
                "\(file) is of version \(version), which this program does not know: versions 1 to 3 are known")
        }
        var runtime = RuntimeTable(version: version, shim: shim, options: understood.runcOptions)
        runtime.defaults = understood.runtimes(lostIn: try dump(text.adding(runtime)))
        let wanted = text.adding(runtime)
        if wanted == before { return nil }
        let after = try dump(wanted)
        guard after.shim == shim else {
            throw Problem(
                "containerd would not see the runtime in \(file): a file that it imports replaces the settings of its "
                    + "CRI plugin. Put the table of that plugin into \(file), or this one into the imported file:\n"
                    + wanted.text.suffix(from: wanted.withoutRuntime.text.endIndex))
        }
        let differences = after.differences(from: understood)
        guard differences.isEmpty else {
            throw Problem("\(file) was left alone: with the runtime added, containerd would also change \(differences)")
        }
        return Change(before: before, after: wanted)
    }

    /// Makes the change in one step, and keeps what the file was before the first one.
    package func make(_ change: Change) throws {
        try Files.makeDirectories(host.path(directory))
        try keepOriginal(change.before)
        try replace(with: change.after.text)
    }

    /// Takes the runtime out; a file that is then what it was before, or that was not there, is that again.
    /// - Returns: whether anything had to be changed.
    package func remove() throws -> Bool {
        guard let text = try current(), text.hasBlock else { return false }
        let rest = text.withoutRuntime
        let kept = try? Files.readText(host.path(original))
        if kept == "" && rest == fresh {
            try Files.remove(host.path(file))
        } else {
            _ = try dump(rest)
            try replace(with: rest.text)
        }
        try Files.remove(host.path(original))
        return true
    }

    private func current() throws(SystemError) -> ContainerdConfiguration? {
        do throws(SystemError) {
            return ContainerdConfiguration(try Files.readText(host.path(file)))
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// For a host whose containerd runs on its defaults.
    private var fresh: ContainerdConfiguration {
        ContainerdConfiguration(
            flavor.rendered == nil ? "version = \(containerd.newestVersion)\n" : ContainerdFlavor.template)
    }

    /// What containerd makes of a text, before that becomes its configuration.
    private func dump(_ configuration: ContainerdConfiguration) throws -> ContainerdDump {
        var text = configuration.text
        if let rendered = flavor.rendered {
            // A template's own part is known only as it was last rendered; ours is no template.
            let last = (try? Files.readText(host.path(rendered))) ?? "version = \(containerd.newestVersion)\n"
            let block = configuration.text.dropFirst(configuration.withoutRuntime.text.count)
            text = ContainerdConfiguration(last).withoutRuntime.text + block
        }
        try Files.makeDirectories(host.path(directory))
        try Files.write(text, to: host.path(draft))
        defer { try? Files.remove(host.path(draft)) }
        do {
            return try containerd.dump(draft)
        } catch let problem as Problem {
            // The draft is gone when a person reads this.
            throw Problem(
                problem.description.split(separator: draft, omittingEmptySubsequences: false).joined(separator: file))
        }
    }

    private func renderedVersion() throws(SystemError) -> Int {
        guard let rendered = flavor.rendered, host.exists(rendered) else { return containerd.newestVersion }
        return ContainerdConfiguration(try Files.readText(host.path(rendered))).version
    }

    private var directory: String { String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) }

    private func keepOriginal(_ before: ContainerdConfiguration?) throws(SystemError) {
        if host.exists(original) { return }
        try Files.replace(host.path(original), with: Array((before?.withoutRuntime.text ?? "").utf8))
    }

    private func replace(with text: String) throws(SystemError) {
        let path = host.path(file)
        var status = stat()
        let mode = stat(path, &status) == 0 ? status.st_mode & 0o777 : 0o644
        try Files.replaceDurably(path, with: Array(text.utf8), mode: mode)
    }
}
