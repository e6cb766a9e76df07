import Commands
import Foundation

/// Debian's Prometheus in a node's network, which scrapes one address.
package struct Prometheus: Sendable {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardized

    /// Where its programs are; nil where Debian's package cannot be had.
    package static let programs = Command.answer(of: root.appending(path: "Tests/Prometheus/program"))

    package static let rules = root.appending(path: "config/prometheus/alerts.yaml").path()
    package static let dashboard = root.appending(path: "config/grafana/dashboard.json")
    package static let ruleTests = root.appending(path: "Tests/Prometheus/alerts.yaml").path()

    private let node: TestNode
    private let port: Int

    /// Runs it as long as `body` does.
    package static func run(
        on node: TestNode, port: Int, scraping address: String, _ body: (Prometheus) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "prometheus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let configuration = """
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: ['\(rules)']
            scrape_configs:
              - job_name: zeropod-node
                honor_labels: true
                static_configs: [{targets: ['\(address)']}]

            """
        let file = directory.appending(path: "prometheus.yml")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let pid = node.root.split(separator: "/").dropFirst().first.map(String.init) ?? "self"
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = [
            "--net=/proc/\(pid)/ns/net", "\(programs ?? "")/prometheus", "--config.file=\(file.path())",
            "--storage.tsdb.path=\(directory.appending(path: "data").path())",
            "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        try await body(Prometheus(node: node, port: port))
    }

    package struct Answer: Decodable, Sendable {
        package struct Sample: Decodable, Sendable { package let metric: [String: String] }
        package struct Result: Decodable, Sendable { package let result: [Sample] }

        package let status: String
        package let error: String?
        package let data: Result?
    }

    /// What an expression comes to now; nil as long as it does not answer.
    package func query(_ expression: String) async throws -> Answer? {
        var unreserved = CharacterSet.alphanumerics
        unreserved.insert(charactersIn: "-._~")
        let text = expression.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
        let reply = try await node.get("127.0.0.1", port: port, path: "/api/v1/query?query=\(text)")
        return try? JSONDecoder().decode(Answer.self, from: Data(reply.text.utf8))
    }
}
