/// What `containerd config dump` prints: the configuration as containerd understands it, one key a line.
package struct ContainerdDump {
    /// Header of a table → its lines, without indentation.
    private let tables: [String: [String]]

    package init(_ text: String) {
        var tables: [String: [String]] = ["": []]
        var header = ""
        for line in text.split(separator: "\n") {
            let line = line.drop { $0 == " " || $0 == "\t" }
            // containerd's log, on the same terminal: it warns of old versions.
            if line.hasPrefix("time=\"") { continue }
            if line.hasPrefix("[") {
                header = String(line)
                tables[header] = tables[header] ?? []
            } else if !line.isEmpty {
                tables[header, default: []].append(String(line))
            }
        }
        self.tables = tables
    }

    private func table(ending end: String) -> [String]? {
        tables.first { $0.key.hasPrefix("[plugins.") && $0.key.hasSuffix("containerd.runtimes.\(end)]") }?.value
    }

    /// The shim that the runtime `zeropod` names: nil if there is no such runtime, "" if it is looked for on PATH.
    package var shim: String? {
        guard let lines = table(ending: "zeropod"), let path = value(of: "runtime_path", in: lines) else { return nil }
        switch value(of: "runtime_type", in: lines) {
        case RuntimeTable.ownType: return path
        // Without a path it is the stock shim.
        case RuntimeTable.type: return path.isEmpty ? nil : path
        default: return nil
        }
    }

    /// The files that were read, the configuration itself among them, before containerd 2; what it says of others, later.
    package var imports: [String] {
        let line = (tables[""] ?? []).first { $0.hasPrefix("imports ") || $0.hasPrefix("imports=") } ?? ""
        return line.split { $0 == "\"" || $0 == "'" }.map(String.init).filter { $0.hasPrefix("/") }
    }

    /// Where the daemon listens, if it is said.
    package var address: String? {
        value(of: "address", in: tables["[grpc]"] ?? []).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Options of the runtime `runc` that are not the defaults.
    package var runcOptions: [String] {
        (table(ending: "runc.options") ?? []).filter { line in
            let value = line.split(separator: "=", maxSplits: 1).last.map { $0.filter { $0 != " " } } ?? ""
            return !["''", "\"\"", "0", "false"].contains(value)
        }
    }

    /// The tables of runtimes that `other` has lost: headers and keys.
    /// - Parameter plugin: what the CRI plugin is called where they are to be put.
    package func runtimes(lostIn other: ContainerdDump, for plugin: String) -> [String] {
        let middle = ".containerd.runtimes."
        return tables.keys.filter { $0.contains(middle) && other.tables[$0] != tables[$0] }.sorted().flatMap { header in
            let name = header.range(of: middle).map { header[$0.lowerBound...] } ?? ""
            return ["[plugins.\(plugin)\(name)"] + (tables[header] ?? [])
        }
    }

    /// Everything but what belongs to the runtime `zeropod`, and the names of the files that were read.
    private var others: [String: [String]] {
        var others = tables.filter { !$0.key.contains("runtimes.zeropod") }
        others[""]?.removeAll { $0.hasPrefix("imports ") }
        return others
    }

    /// The headers of the tables in which two differ, but for the runtime `zeropod`.
    package func differences(from other: ContainerdDump) -> [String] {
        let (mine, theirs) = (others, other.others)
        return Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }.sorted()
    }

    private func value(of key: String, in lines: [String]) -> String? {
        for line in lines where line.hasPrefix("\(key) ") || line.hasPrefix("\(key)=") {
            let value = line.drop { $0 != "=" }.dropFirst().drop { $0 == " " }
            return String(value.filter { $0 != "\"" && $0 != "'" })
        }
        return nil
    }
}
