// `make demo`: a node with a real containerd, nginx and redis as pods in it, and one screen on which a person sees them
// sleep and wake. It ends what it started, whatever happens. KEEP=1 leaves the node up.
import Commands
import Foundation
import TestNode

let environment = ProcessInfo.processInfo.environment
let keep = !(environment["KEEP"] ?? "").isEmpty
let nodeName = "demo"

/// Ends with the line that matters, of which the reason is the end; of a long text the rest is in the log.
func fail(_ text: String) -> Never {
    let lines = text.split(separator: "\n").suffix(3).map { line in
        line.count <= 240 ? String(line) : "\(line.prefix(80)) … \(line.suffix(160))"
    }
    let told = lines.dropLast() + ["demo: \(lines.last ?? "failed")"]
    FileHandle.standardError.write(Data((told.joined(separator: "\n") + "\n").utf8))
    exit(1)
}

guard geteuid() == 0 else { fail("needs root: sudo make demo") }
guard let shim = Runtime.shim else { fail("ZEROPOD_SHIM_DIRECTORY does not say where the shim is; use 'make demo'") }

let screen = Screen()
let story = Story(screen: screen, shim: shim, nodeName: nodeName, log: URL(filePath: "build/demo.log"))
let telling = Task { try await story.tell(keep: keep) }

// A person who has seen enough: the story ends at its next step, and takes the node down as after any failure.
let interruptions = Interruptions {
    screen.close(with: "interrupted; ending the node")
    telling.cancel()
}

do {
    screen.close(with: try await telling.value)
} catch {
    if telling.isCancelled { exit(130) }
    fail("\(error)")
}
