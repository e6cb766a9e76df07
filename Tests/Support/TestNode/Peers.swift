import Commands
import Foundation

/// Clients of many protocols: programs of the image `peers`, with that image's files, in the network of whoever calls.
package struct Peers: Sendable {
    private let node: TestNode
    /// A process that has the image's files before it, as a pid of the node.
    private let pid: Int

    fileprivate init(_ toolbox: Container) async throws {
        node = toolbox.pod.node
        pid = try await toolbox.pid()
    }

    /// Runs one of the clients in `clients.py`; throws unless every byte was as it should be.
    @discardableResult
    package func run(
        _ client: String, _ arguments: String..., from origin: Origin = .outside,
        deadline: Duration = .seconds(120)
    ) async throws -> Output {
        try await command(["python3", "-B", "/srv/clients.py", client] + arguments, from: origin, deadline: deadline)
    }

    /// Runs a program of the image.
    @discardableResult
    package func command(
        _ arguments: [String], from origin: Origin = .outside, input: Data = Data(),
        deadline: Duration = .seconds(120)
    ) async throws -> Output {
        try await Command.run(
            node.command(origin.prefix + ["nsenter", "--mount=/proc/\(pid)/ns/mnt"] + arguments), input: input,
            deadline: deadline)
    }
}

extension TestNode {
    /// Clients for as long as `body` runs. Their files are those of a container that does nothing else.
    package func withPeers<Result>(_ body: (Peers) async throws -> Result) async throws -> Result {
        try await withPod("clients", runtime: .runc) { pod in
            let toolbox = try await pod.start("toolbox", image: "peers", command: ["sleep", "1000000"])
            return try await body(try await Peers(toolbox))
        }
    }
}
