import Foundation
import TestNode

/// A pod that runs all the time, and has the clients: `Programs/applications/visitor.py`.
struct Visitor: Sendable {
    let pod: Pod

    static func with(on node: TestNode, _ body: (Visitor) async throws -> Void) async throws {
        try await node.withPod("visitor", runtime: .runc) { pod in
            let container = try await pod.start(
                "visitor", image: "applications", command: ["python3", "-u", "/fidelity/applications/visitor.py"]
            ) {
                $0.mounts = [.programs, .applicationsVolume]
            }
            try await container.awaitLog("listening")
            try await body(Visitor(pod: pod))
        }
    }

    /// - Returns: what is wrong.
    private func trouble(_ verb: String, _ server: Pod, _ words: String = "") async throws -> String {
        try await pod.node.get(
            pod.ip4, port: 8080, path: "/\(verb)?address=\(server.ip4)\(words)", deadline: .seconds(180)
        ).text
    }

    func has(_ verb: String, _ server: Pod, _ words: String = "") async throws {
        let trouble = try await trouble(verb, server, words)
        guard trouble.isEmpty else { throw Lost(what: "\(verb): \(trouble)") }
    }
}
