import Glibc
import Linux
import Node

/// The program for people and for the node: what the containers of the shims do.
@main
struct Main {
    static func main() {
        do {
            switch try Action(Array(CommandLine.arguments.dropFirst())) {
            case .help: print(Action.usage)
            case .version: print(VersionText.text)
            case .status(let command):
                let (text, problems) = try command.run(width: Descriptor.standardOutput().windowColumns)
                print(text)
                problems.forEach(complain)
                if !problems.isEmpty { exit(1) }
            case .sleep(let command): print(try command.run())
            case .check(let command):
                let report = command.run()
                print(command.asJSON ? report.json : report.text)
                if !report.isUsable { exit(1) }
            case .install(let command): try command.run { print($0) }
            case .uninstall(let command): try command.run { print($0) }
            case .standStill: pause()
            case .node(let command): throw command.run()
            }
        } catch let mistake as UsageError {
            complain("\(mistake)\n\(Action.usage)")
            exit(2)
        } catch {
            complain("zeropod: \(error)")
            exit(1)
        }
    }

    private static func complain(_ line: String) {
        try? Descriptor.standardError().writeAll(Array("\(line)\n".utf8))
    }
}
