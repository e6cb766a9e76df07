import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// What people look at: the daemon's page in a browser, and `zeropod status` in a terminal.
    @Suite struct LookingTests {
        private let zeropod = "/opt/zeropod/bin/zeropod"

        /// Two that sleep, of which one was woken before, one that is frozen, and one that may not sleep.
        private func withPods(on node: TestNode, _ body: ([Pod]) async throws -> Void) async throws {
            try await node.withSleepyPod("sleeper", after: "1h") { sleeper in
                try await node.withSleepyPod("visited", after: "1h") { visited in
                    try await node.withSleepyPod("chilled", after: "1h", ["sleep": "freeze"]) { chilled in
                        try await node.withSleepyPod("waking", after: "0") { waking in
                            for pod in [sleeper, visited, chilled] {
                                let server = try await pod.start("server", image: "python")
                                try await sleep(server)
                                guard pod.config.name == visited.config.name else { continue }
                                _ = try await node.get(pod.ip4, port: 8080, from: .outside)
                                try await sleep(server)
                            }
                            _ = try await waking.start("server", image: "python")
                            try await body([sleeper, visited, chilled, waking])
                        }
                    }
                }
            }
        }

        private func sleep(_ server: Container) async throws {
            try await eventually("it can sleep") {
                try await server.pod.node.run(zeropod, "sleep", server.id, expecting: nil).status == 0
            }
        }

        @Test(.enabled(if: Browser.program != nil, "there is no Chromium on this machine"))
        func pageIsReadableInABrowser() async throws {
            let node = try await node(.current)
            try await withPods(on: node) { pods in
                let daemon = try await NodeDaemon.start(on: node, port: 18_082, "--node-name", "worker-3")
                do {
                    let browser = Browser(on: node)
                    let url = "http://127.0.0.1:18082/"
                    let page = try await browser.document(of: url)
                    for pod in pods { #expect(page.contains(pod.config.name)) }
                    #expect(page.contains("zeropod.ctrox.dev/scaledown-duration is 0"))
                    #expect(page.contains("zeropod.ctrox.dev/sleep is freeze"))
                    #expect(page.contains("<svg"))
                    for (name, width) in [("page", 1200), ("page-on-a-telephone", 400)] {
                        let picture = try await browser.picture(of: url, as: name, width: width)
                        // A page that is empty, or says that there is none, is a few kilobytes.
                        #expect(picture.count > 15_000)
                    }
                } catch {
                    try? await daemon.kill()
                    throw error
                }
                try await daemon.kill("TERM")
            }
        }

        @Test func statusFitsItsTerminal() async throws {
            let node = try await node(.current)
            try await withPods(on: node) { pods in
                func lines(columns: Int) async throws -> [String] {
                    let command = "stty cols \(columns) rows 24; \(zeropod) status"
                    let text = try await node.shell("script -qec '\(command)' /dev/null").text
                    return text.split(whereSeparator: \.isNewline).map(String.init)
                }
                let narrow = try await lines(columns: 80)
                print("zeropod status in 80 columns:\n\(narrow.joined(separator: "\n"))")
                #expect(narrow.allSatisfy { $0.count <= 80 })
                #expect(narrow.contains("  zeropod.ctrox.dev/scaledown-duration is 0"))
                let wide = try await lines(columns: 250)
                #expect(narrow.count { $0.contains("/server ") } == pods.count)
                for pod in pods {
                    #expect(wide.contains { $0.hasPrefix("default/\(pod.config.name)/server ") })
                }
                // No window, no cutting.
                let piped = try await node.shell("\(zeropod) status").lines.map(String.init)
                #expect(piped.count == wide.count && piped[0] == wide[0])
                #expect(piped.contains { $0.hasSuffix("  zeropod.ctrox.dev/scaledown-duration is 0") })
            }
        }
    }
}
