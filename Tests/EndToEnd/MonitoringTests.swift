import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// The dashboard and the alerts of config/, against a real Prometheus that scrapes a real daemon.
    @Suite(.enabled(if: Prometheus.programs != nil, "Debian's prometheus cannot be had"))
    struct MonitoringTests {
        private struct Dashboard: Decodable {
            struct Target: Decodable { let expr: String }
            struct Panel: Decodable {
                let title: String
                let targets: [Target]
            }
            let panels: [Panel]
        }

        private func promtool(_ arguments: String...) async throws {
            try await Command.run(["\(Prometheus.programs ?? "")/promtool"] + arguments)
        }

        @Test func alertsFireWhenTheyShould() async throws {
            try await promtool("check", "rules", Prometheus.rules)
            try await promtool("test", "rules", Prometheus.ruleTests)
        }

        /// Each metric that an alert or a panel names is there, of a container that has slept and was woken once.
        @Test func everyExpressionHasItsMetrics() async throws {
            let node = try await node(.current)
            let board = try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: Prometheus.dashboard))
            let rules = try String(contentsOfFile: Prometheus.rules, encoding: .utf8)
            try await node.withSleepyPod("measured", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                try await eventually("it can sleep") {
                    try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id, expecting: nil).status == 0
                }
                _ = try await node.get(pod.ip4, port: 8080, from: .outside)
                let daemon = try await NodeDaemon.start(on: node, port: 18_083)
                do {
                    try await look(board, rules, on: node)
                } catch {
                    try? await daemon.kill()
                    throw error
                }
                try await daemon.kill("TERM")
            }
        }

        private func look(_ board: Dashboard, _ rules: String, on node: TestNode) async throws {
            try await Prometheus.run(on: node, port: 18_084, scraping: "127.0.0.1:18083") { prometheus in
                try await eventually("Prometheus has scraped the daemon") {
                    try await prometheus.query("zeropod_build_info")?.data?.result.isEmpty == false
                }
                let text = rules + board.panels.flatMap(\.targets).map(\.expr).joined(separator: "\n")
                let names = Set(text.matches(of: /\bzeropod_[a-z_]+/).map { String($0.output) })
                // They are there only with a reason, and with an API server.
                for name in names.subtracting(["zeropod_awake_reason", "zeropod_api_requests_total"]) {
                    let found = try await prometheus.query(name)?.data?.result ?? []
                    #expect(!found.isEmpty, "\(name)")
                }
                for panel in board.panels {
                    for target in panel.targets {
                        let expression = target.expr.replacing("$namespace", with: ".*")
                            .replacing("$__rate_interval", with: "1m")
                        let answer = try await prometheus.query(expression)
                        #expect(answer?.status == "success", "\(panel.title): \(answer?.error ?? "no answer")")
                    }
                }
                let woken = try await prometheus.query("zeropod_wakes_total > 0")?.data?.result ?? []
                #expect(woken.map { $0.metric["reason"] } == ["connection"])
                #expect(woken.first?.metric["namespace"] == "default", "as the daemon has it")
            }
        }
    }
}
