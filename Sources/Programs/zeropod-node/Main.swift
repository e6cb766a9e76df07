import Glibc
import Linux
import NodeDaemon

/// The daemon: what `zeropod node` becomes.
@main
struct Main {
    static func main() {
        Signals.ignoreBrokenPipes()
        do {
            let options = try DaemonOptions(Array(CommandLine.arguments.dropFirst()))
            if options.showsHelp { return print(DaemonOptions.usage) }
            try Daemon(options).run()
        } catch {
            try? Descriptor.standardError().writeAll(Array("\(error)\n".utf8))
            exit(error is FlagError ? 2 : 1)
        }
    }
}
