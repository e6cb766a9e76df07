import Glibc
import Linux

/// The machine that is worked on: this one, or the one whose root file system a container sees at `/host`.
package struct Host {
    /// Without a slash at the end: empty for this machine.
    package let root: String

    package init(root: String) {
        self.root = root.hasSuffix("/") ? String(root.dropLast()) : root
    }

    /// Where a path of the host is for this process.
    package func path(_ path: String) -> String { root + path }

    package func exists(_ path: String) -> Bool { Files.exists(self.path(path)) }

    /// Where a program of the host is on the host.
    package func find(_ program: String, also places: [String] = []) -> String? {
        let standard = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return (places + standard).lazy.map { "\($0)/\(program)" }.first { access(path($0), X_OK) == 0 }
    }

    /// Runs a program of the host to its end.
    /// - Returns: its exit status as a shell has it, and what it wrote to stdout and stderr.
    package func run(_ program: String, _ arguments: [String]) throws(SystemError) -> (status: Int32, output: String) {
        let loop = try EventLoop()
        let children = try Children(loop: loop)
        var command = Command(program, arguments)
        if !root.isEmpty { command.root = root }
        var result: (Int32, String)?
        try children.run(command) { status, output in
            result = (Int32(status.code), output)
        }
        try loop.run { result != nil }
        return result ?? (-1, "")
    }
}

/// What went wrong, for a person: what, and what to do about it.
package struct Problem: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
