import Linux

/// The containerd of a host, through its own program.
package struct Containerd {
    let host: Host
    let flavor: ContainerdFlavor
    let program: String
    /// Such as 2.1.9.
    let version: String
    /// 1 or 2.
    let major: Int
    /// Where the daemon listens.
    let socket: String

    package init(_ host: Host, _ flavor: ContainerdFlavor) throws {
        guard let program = host.find("containerd", also: flavor.programs) else {
            let places = (flavor.programs + ["the usual directories"]).joined(separator: ", ")
            throw Problem("there is no containerd on this host: looked for it in \(places)")
        }
        (self.host, self.flavor, self.program) = (host, flavor, program)
        let (status, output) = try host.run(program, ["--version"])
        // containerd github.com/containerd/containerd/v2 2.1.9 <revision>
        let words = output.split(separator: " ").map { $0.drop { $0 == "v" } }
        let number = words.first { $0.first?.isNumber == true && $0.contains(".") }
        guard status == 0, let major = number?.split(separator: ".").first.flatMap({ Int($0) }) else {
            throw Problem("'\(program) --version' does not tell a version: \(output)")
        }
        (self.major, version) = (major, number.map(String.init) ?? "")
        // k3s and rke2 say it on the command line, others in the configuration.
        let said = flavor.rendered == nil ? try? Self.dump(host, program, flavor.configuration).address : nil
        socket = said ?? flavor.socket
    }

    /// Older ones do not hand annotations and options to the shim as it needs them.
    var isTooOld: Bool {
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        return numbers.count < 2 || (numbers[0], numbers[1]) < (1, 7)
    }

    /// The newest version of the configuration that this containerd reads.
    var newestVersion: Int { major >= 2 ? 3 : 2 }

    /// - Parameter path: of a configuration on the host.
    package func dump(_ path: String) throws -> ContainerdDump { try Self.dump(host, program, path) }

    private static func dump(_ host: Host, _ program: String, _ path: String) throws -> ContainerdDump {
        let (status, output) = try host.run(program, ["--config", path, "config", "dump"])
        guard status == 0 else {
            throw Problem("containerd cannot read \(path): \(output.trimmingLines)")
        }
        return ContainerdDump(output)
    }

    /// Whether the daemon answers.
    package func answers() throws(SystemError) -> Bool {
        guard let ctr = host.find("ctr", also: flavor.programs) else { return host.exists(socket) }
        return try host.run(ctr, ["--address", socket, "--timeout", "3s", "version"]).status == 0
    }

    /// The containers of all namespaces that this runtime has, as `namespace/id`. None if the daemon does not run.
    package func containers(ofRuntime runtime: String) throws(SystemError) -> [String] {
        guard let ctr = host.find("ctr", also: flavor.programs) else { return [] }
        let address = ["--address", socket, "--timeout", "5s"]
        let (status, output) = try host.run(ctr, address + ["namespaces", "list", "--quiet"])
        if status != 0 { return [] }
        var found: [String] = []
        for namespace in output.split(separator: "\n") {
            let (_, list) = try host.run(ctr, address + ["--namespace", String(namespace), "containers", "list"])
            for line in list.split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ").map(String.init)
                if words.last == runtime, let id = words.first { found.append("\(namespace)/\(id)") }
            }
        }
        return found
    }
}

extension String {
    /// One line, for a message.
    var trimmingLines: String { split(separator: "\n").joined(separator: "; ") }
}
