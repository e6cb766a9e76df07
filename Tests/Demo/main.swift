// `make demo`: a node with a real containerd, nginx and redis as pods in it, and one screen on which a person sees them
// sleep and wake. It ends what it started, whatever happens. KEEP=1 leaves the node up.
import Commands
import Foundation
import TestNode

let environment = ProcessInfo.processInfo.environment
let keep = !(environment["KEEP"] ?? "").isEmpty
let nodeName = "demo"

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("demo: \(text)\n".utf8))
    exit(1)
}

guard geteuid() == 0 else { fail("needs root: sudo make demo") }
guard let shim = Runtime.shim else { fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is; use 'make demo'") }

let screen = Screen()

// A person who has seen enough.
signal(SIGINT, SIG_IGN)
signal(SIGTERM, SIG_IGN)
let interruptions = [SIGINT, SIGTERM].map { number in
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
        screen.close()
        print("interrupted; ending the node")
        Task {
            try? await TestNode.down(nodeName)
            exit(128 + number)
        }
    }
    source.resume()
    return source
}

do {
    let story = Story(screen: screen, shim: shim, nodeName: nodeName)
    let closing = try await story.tell(keep: keep)
    screen.close()
    print(closing)
} catch {
    screen.close()
    fail("\(error)")
}
