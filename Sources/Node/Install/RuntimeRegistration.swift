import Glibc
import Linux

/// The runtime `zeropod` in containerd's configuration: put in and taken out, each in one step, and nothing else changed.
package struct RuntimeRegistration {
    let containerd: Containerd
    private let shim: String
    /// The file that the runtime goes into: containerd's configuration, or one that it imports.
    let file: String

    var host: Host { containerd.host }
    var flavor: ContainerdFlavor { containerd.flavor }
    /// What the file was before the first installation. Empty if there was none.
    private var original: String { "\(file).before-zeropod" }

    package init(_ containerd: Containerd, shim: String) {
        self.init(containerd, shim: shim, in: containerd.flavor.configuration)
    }

    private init(_ containerd: Containerd, shim: String, in file: String) {
        (self.containerd, self.shim, self.file) = (containerd, shim, file)
    }

    /// A change of a file that containerd's parser has agreed to.
    package struct Change {
        fileprivate let place: RuntimeRegistration
        fileprivate let before: ContainerdConfiguration?
        fileprivate let after: ContainerdConfiguration

        package var file: String { place.file }

        /// Makes the change in one step, and keeps what the file was before the first one.
        package func make() throws {
            try Files.makeDirectories(place.host.path(place.directory))
            try place.keepOriginal(before)
            try place.replace(with: after.text)
        }
    }

    /// What puts the runtime in; nil if it is in. Changes nothing yet.
    ///
    /// It goes into containerd's configuration. Before containerd 2 an imported file that has a table of the CRI plugin
    /// takes the place of all of that plugin's settings: then it goes into that one.
    package func addition() throws -> Change? {
        let all = places
        let unseen: Unseen
        do {
            return try (all.first { (try? $0.holds()) == true } ?? self).additionHere()
        } catch let error as Unseen {
            unseen = error
        }
        for place in all.dropFirst() {
            do { return try place.additionHere() } catch is Unseen { continue }
        }
        throw Problem(
            "containerd would not see the runtime in \(file): a file that it imports replaces the settings of its CRI"
                + " plugin. Put the table of that plugin into \(file), or this one into the imported file:\n"
                + unseen.block)
    }

    /// The configuration, and what it imports.
    private var places: [RuntimeRegistration] {
        guard flavor.rendered == nil, host.exists(file), let dump = try? containerd.dump(file) else { return [self] }
        return [self]
            + dump.imports.filter { $0 != file && host.exists($0) }.sorted()
            .map { RuntimeRegistration(containerd, shim: shim, in: $0) }
    }

    private struct Unseen: Error {
        let block: Substring
    }

    private func additionHere() throws -> Change? {
        let before = try current()
        let text = before ?? fresh
        if text.hasForeignRuntime {
            throw Problem(
                "\(file) defines a runtime 'zeropod' already, and not by 'zeropod install': remove that table first")
        }
        let understood = try dump(text.withoutRuntime)
        let version = flavor.rendered == nil ? text.version : try renderedVersion()
        guard let plugin = RuntimeTable.plugin(version: version) else {
            throw Problem(
                "\(file) is of version \(version), which this program does not know: versions 1 to 3 are known")
        }
        var runtime = RuntimeTable(version: version, shim: shim, options: understood.runcOptions)
        runtime.defaults = understood.runtimes(lostIn: try dump(text.adding(runtime)), for: plugin)
        let wanted = text.adding(runtime)
        let after = try dump(wanted)
        guard after.shim == shim else {
            throw Unseen(block: wanted.text.suffix(from: wanted.withoutRuntime.text.endIndex))
        }
        if wanted == before { return nil }
        let differences = after.differences(from: understood)
        guard differences.isEmpty else {
            throw Problem("\(file) was left alone: with the runtime added, containerd would also change \(differences)")
        }
        return Change(place: self, before: before, after: wanted)
    }

    /// Takes the runtime out; a file that is then what it was before, or that was not there, is that again.
    /// - Parameter willChange: called before a file is replaced.
    /// - Returns: the files that had to be changed.
    package func remove(_ willChange: () throws -> Void) throws -> [String] {
        try places.filter { try $0.removeHere(willChange) }.map(\.file)
    }

    /// What was kept of before goes last: it tells an attempt that is made again that the first was cut short.
    private func removeHere(_ willChange: () throws -> Void) throws -> Bool {
        let text = try current()
        if let text, text.hasBlock {
            let rest = text.withoutRuntime
            let kept = try? Files.readText(host.path(original))
            let wasThere = !(kept == "" && rest == fresh)
            if wasThere { _ = try dump(rest) }
            try willChange()
            if wasThere { try replace(with: rest.text) } else { try Files.remove(host.path(file)) }
        }
        // Also what an installation left that was cut short.
        for path in ["\(file).new", "\(original).new", draft, original] { try Files.remove(host.path(path)) }
        return text?.hasBlock ?? false
    }

    /// Whether the runtime is in one of the files.
    package var isThere: Bool { places.contains { (try? $0.holds()) == true } }

    private func holds() throws(SystemError) -> Bool { try current()?.hasBlock ?? false }

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

    var directory: String { String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) }

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
