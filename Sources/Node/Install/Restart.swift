import Linux

/// Restarts containerd, and waits until it answers again.
package struct Restart {
    private let containerd: Containerd
    /// Words of a command to run on the host instead of systemctl.
    private let command: [String]

    /// Left between a changed configuration and the restart, so that the next attempt makes up for one that was cut
    /// short.
    private let mark: String

    package init(_ containerd: Containerd, prefix: String, command: [String]) {
        (self.containerd, self.command) = (containerd, command)
        mark = containerd.host.path("\(prefix)/.restart-containerd")
    }

    package func willBeNeeded() throws(SystemError) { try Files.create(mark, with: "") }

    package var isNeeded: Bool { Files.exists(mark) }

    package func isDone() throws(SystemError) { try Files.remove(mark) }

    /// Program and arguments. Fails if there is no way to restart containerd.
    package func commandLine() throws -> [String] {
        var words = try command.isEmpty ? systemctl() : command
        let name = words.removeFirst()
        guard let program = name.hasPrefix("/") ? name : containerd.host.find(name) else {
            throw Problem("there is no program '\(name)' on the host")
        }
        return [program] + words
    }

    /// - Returns: what was restarted.
    package func run() throws -> String {
        let words = try commandLine()
        let program = words[0]
        let (status, output) = try containerd.host.run(program, Array(words.dropFirst()))
        guard status == 0 else {
            throw Problem("'\(words.joined(separator: " "))' failed: \(output.trimmingLines)")
        }
        try awaitAnswer()
        try isDone()
        return words.joined(separator: " ")
    }

    private func systemctl() throws -> [String] {
        let host = containerd.host
        guard let systemctl = host.find("systemctl") else {
            throw Problem(
                "there is no systemd on this host: restart containerd yourself, or say how with --restart-with")
        }
        for unit in containerd.flavor.units where try host.run(systemctl, ["is-active", "--quiet", unit]).status == 0 {
            return [systemctl, "restart", unit]
        }
        throw Problem(
            "no unit of \(containerd.flavor.units) is active: restart containerd yourself, or say how with "
                + "--restart-with")
    }

    /// It opens its socket when its plugins have been loaded, the runtime's configuration read.
    private func awaitAnswer() throws {
        let patience = Instant.now + .seconds(60)
        let loop = try EventLoop()
        while try !containerd.answers() {
            if Instant.now > patience {
                throw Problem("containerd was restarted and does not answer at \(containerd.socket)")
            }
            var isOver = false
            loop.after(.milliseconds(200)) { isOver = true }
            try loop.run { isOver }
        }
    }
}
