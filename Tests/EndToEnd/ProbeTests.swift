import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// What a kubelet asks does not wake a container, nor keep it awake.
    @Suite struct ProbeTests {
        private static let agent = ["--user-agent", "kube-probe/1.36"]

        /// Probes each second from the start on: it falls asleep, stays so, and is healthy all the while.
        @Test(arguments: Containerd.usual) func itFallsAsleepAndStaysAsleep(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("probed", after: "3s") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("watching ports [8080]")
                var counters: [Int] = []
                for _ in 1...10 {
                    let reply = try await node.get(pod.ip4, port: 8080, path: "/healthz", options: Self.agent)
                    #expect(reply.code == 200)
                    counters.append(try reply.json(ServerState.self).counter)
                    _ = try await node.get(pod.ip6, port: 8080, path: "/ready", options: Self.agent)
                    try await Self.tcpProbe(node, pod.ip4)
                    try await Task.sleep(for: .seconds(1))
                }
                try await server.expectSleeps(1)
                try await server.expectWakes(0)
                // Asleep it was the same answer again and again.
                #expect(counters.last == counters.dropLast().last)
                #expect(try await server.processes() == [])

                // The application was not asked meanwhile; of each round it counts two.
                let state = try await node.get(pod.ip4, port: 8080).json(ServerState.self)
                #expect(state.counter <= (counters.last ?? 0) + 2)
                try await server.expectWakes(1)
            }
        }

        private static func tcpProbe(_ node: TestNode, _ address: String) async throws {
            _ = try await node.run("bash", "-c", "exec 3<>/dev/tcp/\(address)/8080")
        }

        /// A failure is the application's to give: it wakes for that, and stays awake until all is well, since asleep it
        /// would never get well.
        @Test func whatIsUnwellAnswersItself() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("unwell") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("watching ports [8080]")
                // One that it was never asked, only it can answer.
                for cycle in 1...2 {
                    try await server.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080, path: "/new", options: Self.agent).code == 200)
                    try await server.expectWakes(1)
                }
                let path = "/status?code=503"
                #expect(try await node.get(pod.ip4, port: 8080, path: path, options: Self.agent).code == 503)
                try await server.expectWakes(2)
                try await eventually("it says why it stays awake") {
                    try await server.sleepReport().reasons
                        == ["it is not ready: GET /status?code=503 on port 8080 was answered 503"]
                }
                try await server.expectSleeps(2)
            }
        }

        @Test func detectionCanBeSwitchedOff() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("undetected", ["disable-probe-detection": "true"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                _ = try await node.get(pod.ip4, port: 8080, options: Self.agent)
                try await server.expectWakes(1)
            }
        }

        /// Who only calls itself a kubelet, from elsewhere, is a client.
        @Test func onlyTheNodeProbes() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("pretended") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                for (number, address) in [pod.ip4, pod.ip6].enumerated() {
                    _ = try await node.get(address, port: 8080, from: .outside, options: Self.agent)
                    try await server.expectWakes(number + 1)
                    try await server.awaitSleep(number + 2)
                }
                // A client of the node's that waits for the server to speak.
                _ = try? await node.run("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/\(pod.ip4)/8080; read -u 3")
                try await server.expectWakes(3)
                try await server.awaitShimLog("wakes: it said nothing and stays")
            }
        }

        @Test func passivePortsNeitherWakeNorKeepAwake() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("metrics", after: "2s", ["passive-ports": "server=9090"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("watching ports [8080]")
                _ = try await node.get(pod.ip4, port: 8080, path: "/listen?port=9090")
                try await eventually("scrapes do not keep it awake") {
                    _ = try await node.get(pod.ip4, port: 9090, path: "/metrics", from: .outside)
                    return try await server.sleeps() > 0
                }
                // What the application would say, and to whom, only it knows.
                for (address, path) in [(pod.ip4, "/metrics"), (pod.ip6, "/other")] {
                    let answer = try await node.get(address, port: 9090, path: path, from: .outside)
                    #expect(answer.code == 503)
                    #expect(answer.text == "asleep\n")
                }
                try await server.expectWakes(0)
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).port == 8080)
                #expect(try await node.get(pod.ip4, port: 9090).json(ServerState.self).port == 9090)
            }
        }
    }
}
