// A node for tests: the scripts of Tests/Node behind Swift functions, with CRI to make pods, and everything a person
// wants to see when a test fails.
import CRI
import Commands
import Foundation

package enum Containerd: String, CaseIterable, Sendable, CustomStringConvertible {
    case current = "2.1"
    case previous = "1.7"

    /// What most tests run on: the current one. Tests of what differs between the two on the wire or on the disk (calls of
    /// the task service, the answer to a start, events, options, configuration) take all cases. With ZEROPOD_CONTAINERD=1.7,
    /// a part of `make test-long`, the others run on that one.
    package static let usual: [Containerd] = [
        ProcessInfo.processInfo.environment["ZEROPOD_CONTAINERD"].flatMap { Containerd(rawValue: $0) } ?? .current
    ]

    package var description: String { "containerd \(rawValue)" }
}

package struct TestNode: Sendable {
    package let name: String
    package let containerd: Containerd
    package let cri: CRI
    /// What the node wrote, seen from outside: log/, containerd/, zeropod/.
    package let state: URL
    /// What a command is put behind to be run inside.
    private let prefix: [String]

    /// Its root file system as long as it is up, seen from outside.
    package var root: String { String(cri.socket.dropLast("/run/containerd/containerd.sock".count)) }

    private static let script = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../Node/node").standardized.path()

    /// Starts a node, after ending what an interrupted run left under its name. `shim` is the directory that holds the
    /// shim's executable.
    package static func up(
        _ name: String, containerd: Containerd = .current, shim: URL? = nil, options: [String] = []
    ) async throws -> TestNode {
        try await down(name)
        var arguments = [script, "up", name, "--containerd", containerd.rawValue] + options
        if let shim { arguments += ["--bin", shim.path()] }
        // The first node on a machine makes the root file systems before it starts.
        try await Command.run(arguments, deadline: .seconds(600))
        return try await attach(name, containerd: containerd)
    }

    /// A node that is up.
    package static func attach(_ name: String, containerd: Containerd) async throws -> TestNode {
        let socket = try await Command.run([script, "socket", name]).trimmed
        let state = try await Command.run([script, "state", name]).trimmed
        return TestNode(
            name: name, containerd: containerd, cri: CRI(socket: socket), state: URL(filePath: state),
            prefix: [script, "run", name])
    }

    /// The machine that this program runs on: Tests/VirtualMachine boots one that is a node.
    package static let thisMachine = TestNode(
        name: "this machine", containerd: .current, cri: CRI(socket: "/run/containerd/containerd.sock"),
        state: URL(filePath: "/var/"), prefix: [])

    package func down() async throws { try await Self.down(name) }

    /// Ends a node that is up, or that an interrupted run left half way.
    package static func down(_ name: String) async throws {
        // Hundreds of pods take their time.
        try await Command.run([script, "down", name], deadline: .seconds(600))
    }

    /// Runs a command inside the node.
    @discardableResult
    package func run(
        _ arguments: String..., input: Data = Data(), deadline: Duration = .seconds(90), expecting: Int32? = 0
    ) async throws -> Output {
        try await Command.run(command(arguments), input: input, deadline: deadline, expecting: expecting)
    }

    /// The command line that runs something inside the node.
    func command(_ arguments: [String]) -> [String] { prefix + arguments }

    @discardableResult
    package func shell(_ script: String, deadline: Duration = .seconds(90), expecting: Int32? = 0) async throws
        -> Output
    {
        try await run("bash", "-c", script, deadline: deadline, expecting: expecting)
    }

    /// Gives the node one of the images in Tests/Node/extra.
    package func importImage(_ image: String) async throws {
        try await Command.run([Self.script, "image", name, image], deadline: .seconds(600))
    }

    /// Ends containerd, or starts it again, while shims and containers live on.
    package func stopContainerd() async throws {
        try await Command.run([Self.script, "containerd", name, "stop"])
    }

    package func startContainerd() async throws {
        try await Command.run([Self.script, "containerd", name, "start"], deadline: .seconds(120))
    }

    /// One line for each thing that pods left in a node that is up, or the node left on the machine.
    package func leftovers() async throws -> [String] {
        try await Command.run([Self.script, "leftovers", name], expecting: nil).lines.map(String.init)
    }

    /// The same, once what is just ending has ended: a shim ends a moment after containerd has its answer.
    package func lastingLeftovers() async throws -> [String] {
        var left: [String] = []
        do {
            try await eventually("nothing is left") {
                left = try await leftovers()
                return left.isEmpty
            }
        } catch let error as NeverHappened {
            return left.isEmpty ? ["not known: \(error)"] : left
        }
        return []
    }
}
