import CRI
import Commands
import TestNode
import Testing

/// What needs nodes that are changed for a while: their own, so that nothing else is tried on them meanwhile.
@Suite(.nodes("altered", options: ["--debug"]), .enabled(if: Runtime.shim != nil, "needs ZEROPOD_SHIM_DIRECTORY"))
struct AlteredNodes {}

extension TestNode {
    /// Changes the node by a script for as long as `body` runs.
    func altered(by script: String, back: String, _ body: () async throws -> Void) async throws {
        try await shell("set -e; \(script)")
        do {
            try await body()
        } catch {
            try await shell("set -e; \(back)")
            throw error
        }
        try await shell("set -e; \(back)")
    }

    /// Lets its operator say something else for as long as `body` runs.
    func withPolicy(_ lines: String, _ body: () async throws -> Void) async throws {
        let file = "/etc/zeropod/node.conf"
        try await altered(
            by: "mv \(file) \(file).before; printf '\(lines)' >\(file)", back: "mv \(file).before \(file)", body)
    }

    /// Lets containerd stand still, and see nothing, for as long as `body` runs.
    func withContainerdStopped(_ body: () async throws -> Void) async throws {
        let signal = { (name: String) in "kill -\(name) $(cat /run/containerd.pid)" }
        try await altered(by: signal("STOP"), back: signal("CONT"), body)
    }
}
