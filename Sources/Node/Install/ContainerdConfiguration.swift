/// The text of a containerd configuration, with or without the runtime `zeropod`.
///
/// The runtime is a block of its own at the end, between two comments that find it again. A table with a full name may
/// stand anywhere in TOML, so everything else, comments included, stays byte for byte what it was; whether the
/// result is right is for containerd's own parser to say.
package struct ContainerdConfiguration: Equatable {
    package let text: String

    package init(_ text: String) { self.text = text }

    private static let begin = "# >>> zeropod: written by 'zeropod install', removed by 'zeropod uninstall'"
    private static let end = "# <<< zeropod"

    /// `version` as the file has it. A file without it is of version 1.
    package var version: Int {
        for line in text.split(separator: "\n") {
            let line = line.drop { $0 == " " || $0 == "\t" }
            // Top-level keys stand before the first table.
            if line.hasPrefix("[") { break }
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].filter({ $0 != " " && $0 != "\t" }) == "version" else { continue }
            if let number = Int(parts[1].prefix { $0 != "#" }.filter { $0.isNumber }) { return number }
        }
        return 1
    }

    /// The same text, importing other files: those before are not.
    package func importing(_ files: [String]) -> ContainerdConfiguration {
        let list = "imports = [\(files.map { "\"\($0)\"" }.joined(separator: ", "))]\n"
        var rest = ""
        // Of an array that goes on in further lines those belong to it. Paths have no brackets.
        var (isWithin, isTopLevel) = (false, true)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.drop { $0 == " " || $0 == "\t" }
            if words.hasPrefix("[") && !isWithin { isTopLevel = false }
            let key = words.prefix { $0 != "=" && $0 != " " && $0 != "\t" }
            if isTopLevel && key == "imports" { isWithin = true }
            if !isWithin { rest += line + "\n" }
            if isWithin && line.contains("]") { isWithin = false }
        }
        return ContainerdConfiguration(list + rest.dropLast())
    }

    package var hasBlock: Bool { text.contains(Self.begin) }

    /// Whether somebody else's lines define the runtime.
    package var hasForeignRuntime: Bool {
        withoutRuntime.text.split(separator: "\n").contains { line in
            let line = line.drop { $0 == " " || $0 == "\t" }
            return line.hasPrefix("[") && line.contains("runtimes.zeropod]")
        }
    }

    package var withoutRuntime: ContainerdConfiguration {
        guard let begin = text.range(of: Self.begin), let end = text.range(of: Self.end, after: begin.upperBound) else {
            return self
        }
        var after = text[end.upperBound...]
        if after.first == "\n" { after = after.dropFirst() }
        var before = text[..<begin.lowerBound]
        // The empty line that `adding` put in front.
        if before.hasSuffix("\n\n") { before = before.dropLast() }
        return ContainerdConfiguration(String(before) + String(after))
    }

    /// - Parameter plugin: of the version that the file is in.
    package func adding(_ runtime: RuntimeTable) -> ContainerdConfiguration {
        let rest = withoutRuntime.text
        let separator = rest.isEmpty ? "" : rest.hasSuffix("\n") ? "\n" : "\n\n"
        return ContainerdConfiguration(rest + separator + "\(Self.begin)\n\(runtime.text)\(Self.end)\n")
    }
}

/// The table that names the runtime.
///
/// Its type is that of the stock shim, and the path makes it ours. Of a runtime of another type containerd 2.0 and 2.1, and
/// 2.2 before 2.2.7, do not ask what it can do (internal/cri/server, introspectRuntimeFeatures), so the kubelet refuses pods
/// with a user namespace (`hostUsers: false`) and mounts that are read-only throughout (`recursiveReadOnly`). containerd
/// 1.7 asks none, and runs both types alike. A shim that runs is found by the files in its bundle and not by its type.
package struct RuntimeTable {
    package static let type = "io.containerd.runc.v2"
    /// The shim's own name, by which it is found on containerd's PATH. Earlier versions registered it.
    package static let ownType = "io.containerd.zeropod.v2"
    package let version: Int
    /// The shim's path on the host.
    package let shim: String
    /// Options that the runtime `runc` of the same containerd has, as lines of TOML: what holds for the node's other
    /// containers (the root, the systemd cgroup driver) has to hold for these.
    package let options: [String]
    /// Tables to say once more, headers and keys: before containerd 2 the default runtimes are gone as soon as the file
    /// names one.
    package var defaults: [String] = []

    package init(version: Int, shim: String, options: [String]) {
        self.version = version
        self.shim = shim
        self.options = options
    }

    /// What containerd calls its CRI plugin in this version of its configuration.
    package static func plugin(version: Int) -> String? {
        switch version {
        case 1: "cri"
        case 2: "'io.containerd.grpc.v1.cri'"
        case 3: "'io.containerd.cri.v1.runtime'"
        default: nil
        }
    }

    package var name: String { "plugins.\(Self.plugin(version: version) ?? "cri").containerd.runtimes.zeropod" }

    var text: String {
        let annotations = #"["zeropod.ctrox.dev/*", "io.containerd.runc.v2.group"]"#
        var lines = [
            "[\(name)]", "runtime_type = \"\(Self.type)\"", "runtime_path = \"\(shim)\"",
            "pod_annotations = \(annotations)", "container_annotations = \(annotations)",
        ]
        if !options.isEmpty { lines += ["[\(name).options]"] + options }
        return (lines + defaults).map { "\($0)\n" }.joined()
    }
}

extension StringProtocol {
    /// The first place of a text, from an index on.
    func range(of text: String, after start: Index? = nil) -> Range<Index>? {
        var index = start ?? startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
