import Commands
import Foundation
import TestNode

/// A pod that runs all the time and shares the volumes of those that sleep: `Programs/outsider.py`.
struct Outsider: Sendable {
    let pod: Pod

    /// Where the volumes are on the node's disk.
    static let volumes = "/var/log/fidelity"

    /// Gives `body` one for as long as it runs.
    static func with(on node: TestNode, _ body: (Outsider) async throws -> Void) async throws {
        try await node.run("mkdir", "-p", volumes)
        try await node.withPod("outsider", runtime: .runc) { pod in
            let container = try await pod.start(
                "outsider", image: "python", command: ["python3", "-u", "/fidelity/outsider.py"]
            ) {
                $0.mounts = [.programs, .init(hostPath: volumes, containerPath: "/shared")]
            }
            try await container.awaitLog("listening")
            try await body(Outsider(pod: pod))
        }
    }

    /// Has it do its part, and returns its checks by the names of kinds.
    @discardableResult
    func ask(_ verb: String, _ run: String, _ words: [(String, String)] = []) async throws -> [String: [Check]] {
        var query = URLComponents()
        query.path = "/\(verb)"
        query.queryItems = ([("run", run)] + words).map { URLQueryItem(name: $0.0, value: $0.1) }
        let path = (query.string ?? "").replacing("+", with: "%2B")
        return try await pod.node.get(pod.ip4, port: 8080, path: path, deadline: .seconds(120))
            .json([String: [Check]].self)
    }
}
