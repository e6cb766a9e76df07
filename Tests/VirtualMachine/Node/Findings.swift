import Foundation
import TestNode

/// What `zeropod check` says of this machine.
struct Findings {
    struct Line: Decodable {
        let subject: String
        let verdict: String
        let detail: String
    }

    let lines: [Line]

    static func of(_ node: TestNode) async throws -> Findings {
        let output = try await node.run("zeropod", "check", "--json", deadline: .seconds(300))
        return Findings(lines: try JSONDecoder().decode([Line].self, from: output.stdout))
    }

    /// Whether containers are not checkpointed here.
    var onlyFreezes: Bool { lines.contains { $0.verdict == "limited" && $0.detail.contains("freezing only") } }

    /// How the programs were attached and what tracks connections, as a shim says it in its log.
    var redirector: String {
        let details = Dictionary(lines.map { ($0.subject, $0.detail) }) { $1 }
        let hook = details["BPF"]?.split(separator: " ").last ?? "?"
        return "by \(hook); tracker: \(details["tracker"] ?? "?")"
    }

    /// Throws unless each shim has logged the same of its pod.
    func agree(withLog path: String) throws {
        let log = try String(contentsOfFile: path, encoding: .utf8)
        let attached = log.split(separator: "\n").filter { $0.contains("redirector attached to") }
        guard !attached.isEmpty else { throw Surprise("no shim has logged how it attached its redirector") }
        for line in attached where !line.contains(redirector) {
            throw Surprise("zeropod check says '\(redirector)', and a shim \(line)")
        }
    }
}
