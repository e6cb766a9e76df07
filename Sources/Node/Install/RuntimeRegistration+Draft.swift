import Linux

/// What containerd makes of a text, before that becomes a file of its configuration.
extension RuntimeRegistration {
    /// Beside the file, since relative imports are looked for there.
    var draft: String { "\(file).zeropod-draft" }

    func dump(_ configuration: ContainerdConfiguration) throws -> ContainerdDump {
        try Files.makeDirectories(host.path(directory))
        return try withDraft(draft, try whole(configuration)) { path in
            let main = flavor.configuration
            if file == main { return try containerd.dump(path) }
            // The configuration as it is, but that it imports the draft.
            let text = ContainerdConfiguration(try Files.readText(host.path(main)))
            let imports = try containerd.dump(main).imports.filter { $0 != main }.sorted()
            let changed = text.importing(imports.map { $0 == file ? path : $0 })
            return try withDraft("\(main).zeropod-draft", changed) { try containerd.dump($0) }
        }
    }

    /// - Parameter path: on the host.
    private func withDraft(
        _ path: String, _ configuration: ContainerdConfiguration, _ body: (String) throws -> ContainerdDump
    ) throws -> ContainerdDump {
        try Files.create(host.path(path), with: configuration.text)
        defer { try? Files.remove(host.path(path)) }
        do {
            return try body(path)
        } catch let problem as Problem {
            // The draft is gone when a person reads this.
            let name = String(path.dropLast(".zeropod-draft".count))
            throw Problem(
                problem.description.split(separator: path, omittingEmptySubsequences: false).joined(separator: name))
        }
    }

    /// A template's own part is known only as it was last rendered; ours is no template.
    private func whole(_ configuration: ContainerdConfiguration) throws -> ContainerdConfiguration {
        guard let rendered = flavor.rendered else { return configuration }
        let last = (try? Files.readText(host.path(rendered))) ?? "version = \(containerd.newestVersion)\n"
        let block = configuration.text.dropFirst(configuration.withoutRuntime.text.count)
        return ContainerdConfiguration(ContainerdConfiguration(last).withoutRuntime.text + block)
    }

    func renderedVersion() throws(SystemError) -> Int {
        guard let rendered = flavor.rendered, host.exists(rendered) else { return containerd.newestVersion }
        return ContainerdConfiguration(try Files.readText(host.path(rendered))).version
    }
}
