import Glibc
import Linux

/// `zeropod node` becomes the daemon, `zeropod-node` beside it. That is a program of its own because libcurl cannot be
/// linked into a static one: Debian has no static libraries of what it needs. See docs/design.md.
package struct NodeCommand {
    private let arguments: [String]

    package init(_ arguments: [String]) { self.arguments = arguments }

    /// Comes back only with the reason why it could not.
    package func run() -> Problem {
        do throws(SystemError) {
            let own = try Files.target(ofLink: "/proc/self/exe")
            let directory = own.split(separator: "/").dropLast().map { "/\($0)" }.joined()
            let program = "\(directory)/zeropod-node"
            guard Files.exists(program) else {
                return Problem("\(program) is not there: the daemon lies beside zeropod")
            }
            // With the libraries comes their loader: then it does not matter which C library the host has.
            let libraries = "\(directory)/../lib"
            let loader = "\(libraries)/\(Self.loader)"
            guard Files.exists(loader) else {
                return Problem("\(Command(program, arguments).replaceThisProcess())")
            }
            let words = ["--library-path", libraries, "--argv0", "zeropod-node", program]
            return Problem("\(Command(loader, words + arguments).replaceThisProcess())")
        } catch {
            return Problem("\(error)")
        }
    }

    /// The name that the processor's ABI gives the C library's loader.
    #if arch(x86_64)
        private static let loader = "ld-linux-x86-64.so.2"
    #elseif arch(arm64)
        private static let loader = "ld-linux-aarch64.so.1"
    #endif
}
