import DataPath
import Glibc
import Launch
import Linux

/// containerd's shim for zeropod. What it is called for is decided here; each action is a file of `Launch`.
@main
struct Main {
    static func main() {
        do throws(Invocation.Mistake) {
            run(try Invocation(Array(CommandLine.arguments.dropFirst())))
        } catch {
            fail("\(error)")
        }
    }

    private static func run(_ invocation: Invocation) {
        do {
            switch invocation.action {
            case .start: try Descriptor.standardOutput().writeAll(try StartCommand(invocation).run())
            case .serve: try Serve(invocation).run()
            case .delete:
                // containerd reads stdout and stderr together; a word too many would spoil the answer.
                let (answer, _) = try DeleteCommand(invocation).run()
                try Descriptor.standardOutput().writeAll(answer)
            case .information: try Descriptor.standardOutput().writeAll(try Information.gather())
            case .version: print(Information.versionText)
            case .attachNetwork: print(try AttachNetwork.run(pod: invocation.id))
            }
        } catch {
            fail("\(error)")
        }
    }

    /// containerd shows what stands on stderr; stdout is for answers.
    private static func fail(_ reason: String) -> Never {
        try? Descriptor(owning: STDERR_FILENO).writeAll(Array("\(Information.program): \(reason)\n".utf8))
        exit(1)
    }
}
