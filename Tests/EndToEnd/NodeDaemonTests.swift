import Commands
import TestNode
import Testing

extension SleepingPods {
    /// `zeropod node`: what Prometheus and people see.
    @Suite struct NodeDaemonTests {
        private func withDaemon(
            on node: TestNode, port: Int, _ body: (NodeDaemon) async throws -> Void
        ) async throws {
            let daemon = try await NodeDaemon.start(on: node, port: port)
            do { try await body(daemon) } catch {
                try? await daemon.kill()
                throw error
            }
            try await daemon.kill("TERM")
        }

        private let sample = { (name: String) in "zeropod_\(name){container=\"server\"}" }

        @Test(arguments: Containerd.usual) func metricsFollowTheContainers(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("before", after: "1h") { early in
                let first = try await early.start("server", image: "python")
                try await withDaemon(on: node, port: 18_080) { daemon in
                    try await eventually("the shim that was there is found") {
                        try await daemon.metrics(of: early)[sample("running")] == "1"
                    }
                    try await node.withSleepyPod("after", after: "1h") { late in
                        let second = try await late.start("server", image: "python")
                        for (pod, container) in [(early, first), (late, second)] {
                            try await follow(pod, container, daemon)
                        }
                    }
                    try await eventually("the pod that was removed is gone") {
                        try await !daemon.get("/metrics").contains("after-")
                    }
                }
            }
        }

        private func follow(_ pod: Pod, _ container: Container, _ daemon: NodeDaemon) async throws {
            let zeropod = "/opt/zeropod/bin/zeropod"
            try await eventually("the port is found") {
                try await pod.node.run(zeropod, "status", "--json").text.contains("\"ports\":[8080]")
            }
            try await eventually("it can sleep") {
                try await pod.node.run(zeropod, "sleep", container.id, expecting: nil).status == 0
            }
            let asleep = try await daemon.metrics(of: pod)
            #expect(asleep[sample("running")] == "0")
            #expect(asleep[sample("checkpoint_duration_seconds_count")] == "1")
            #expect(asleep[sample("restore_duration_seconds_count")] == "0")
            #expect(asleep[sample("last_checkpoint_time")]?.count == 19)
            #expect(try #require(asleep[sample("image_bytes")].flatMap { Int($0) }) > 1 << 20)
            #expect(try #require(asleep[sample("memory_given_back_bytes")].flatMap { Int($0) }) > 1 << 20)
            #expect(try await daemon.metrics(of: pod) == asleep, "a scrape counts nothing")
            let page = try await daemon.get("/")
            #expect(page.contains("<b>\(pod.config.name)</b>"))
            #expect(page.contains("<span class=\"state asleep\">asleep</span>"))

            #expect(asleep[sample("connections_held_total")] == "0")
            #expect(asleep[sample("probes_answered_total")] == "0")
            // A TCP probe of the node's.
            try await pod.node.run("bash", "-c", "exec 3<>/dev/tcp/\(pod.ip4)/8080")
            try await eventually("the probe is counted") {
                try await daemon.metrics(of: pod)[sample("probes_answered_total")] == "1"
            }
            #expect(try await daemon.metrics(of: pod)[sample("running")] == "0")
            #expect(try await pod.node.get(pod.ip4, port: 8080, from: .outside).code == 200)
            try await eventually("the wake is counted") {
                let awake = try await daemon.metrics(of: pod)
                return awake[sample("running")] == "1" && awake[sample("wake_duration_seconds_count")] == "1"
                    && awake[sample("restore_duration_seconds_count")] == "1"
                    && awake[sample("connections_held_total")] == "1"
                    && awake["zeropod_wake_duration_seconds_bucket{container=\"server\",le=\"+Inf\"}"] == "1"
            }
            #expect(try await daemon.get("/").contains("<svg role=\"img\""))
        }

        /// The counts are the shims': they survive the daemon, and are not counted again by its successor.
        @Test func aDaemonThatDiesLosesNothing() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("told", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                let first = try await NodeDaemon.start(on: node, port: 18_081)
                try await follow(pod, server, first)
                let before = try await first.metrics(of: pod)
                try await first.kill()
                try await withDaemon(on: node, port: 18_081) { second in
                    try await eventually("the successor knows the same") {
                        try await second.metrics(of: pod) == before
                    }
                    try await node.stopContainerd()
                    #expect(try await second.metrics(of: pod) == before)
                    try await node.startContainerd()
                    #expect(try await second.metrics(of: pod) == before)
                }
            }
        }

        @Test func aWrongAddressIsNamed() async throws {
            let node = try await node(.current)
            let refusal = try await node.run("/opt/zeropod/bin/zeropod", "node", "--metrics-addr", "8080", expecting: 2)
            #expect(
                refusal.errorText == "zeropod node: --metrics-addr is \"8080\": not an address such as :8080\n")
        }
    }
}
