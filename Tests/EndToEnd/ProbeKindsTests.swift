import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// Probes of every kind and from every address of the node, and why others are none.
    @Suite struct ProbeKindsTests {
        private static let agent = ["--user-agent", "kube-probe/1.36"]

        /// Probes again and again, until all are answered while the container sleeps, and goes on sleeping. It may fall
        /// asleep before it has been asked for the first time; then the first one wakes it.
        private func awaitAnswersAsleep(_ server: Container, _ probe: () async throws -> Void) async throws {
            try await eventually("all are answered asleep", within: .seconds(90)) {
                let before = try await server.sleepReport()
                try await probe()
                let now = try await server.sleepReport()
                return before.checkpoints.count == before.restores.count + 1
                    && now.checkpoints.count == before.checkpoints.count && now.restores.count == before.restores.count
            }
        }

        /// A real gRPC client that calls itself a kubelet, of a real gRPC server: awake it does not keep the container
        /// awake, asleep it is answered with what the application said last.
        @Test(arguments: Handover.allCases) func healthChecksOfGRPC(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withPeers { clients in
                try await node.withSleepyPod("grpc", after: "2s", ["handover": handover.rawValue]) { pod in
                    let server = try await pod.start(
                        "server", image: "peers", command: ["python3", "/srv/peers.py", "grpc"])
                    try await server.awaitShimLog("watching ports [50051]")
                    var asked = 0
                    // The same question over either family: the answer is the port's.
                    try await awaitAnswersAsleep(server) {
                        asked = try server.log().count { $0.text == "health check" }
                        for address in [pod.ip4, pod.ip6] {
                            try await clients.run("grpc", address, "kube-probe/1.36", from: .node)
                        }
                    }
                    #expect(try server.log().count { $0.text == "health check" } == asked)
                    let wakes = try await server.wakes()

                    // A client of the node's whose health check is its own, and then calls more.
                    try await clients.run("grpc", pod.ip4, from: .node)
                    try await server.expectWakes(wakes + 1)
                }
            }
        }

        /// The kubelet may have any address of its node, and a node several of each family.
        @Test func theNodeHasManyAddresses() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("addressed", after: "1s") { pod in
                let server = try await pod.start("server", image: "python")
                let extra = [("192.0.2.7/32", "client0"), ("2001:db8::7/128", "client0")]
                let change = { (verb: String) in
                    for (address, device) in extra { try await node.run("ip", "address", verb, address, "dev", device) }
                }
                try await change("add")
                do {
                    try await probeFromEverywhere(server)
                } catch {
                    try await change("del")
                    throw error
                }
                try await change("del")
            }
        }

        private func probeFromEverywhere(_ server: Container) async throws {
            let pod = server.pod
            func probe(_ target: String, from source: String) async throws {
                let reply = try await pod.node.get(
                    target, port: 8080, path: "/healthz", options: Self.agent + ["--interface", source])
                #expect(reply.code == 200)
            }
            let probes = [
                (pod.ip4, "10.88.0.1"), (pod.ip4, "10.99.0.1"), (pod.ip4, "192.0.2.7"),
                (pod.ip6, "fd00:88::1"), (pod.ip6, "fd00:99::1"), (pod.ip6, "2001:db8::7"),
            ]
            try await server.awaitShimLog("watching ports [8080]")
            try await awaitAnswersAsleep(server) {
                for (target, source) in probes { try await probe(target, from: source) }
            }
        }

        /// Some meshes put an address of theirs in the place of the kubelet's. Who is no probe there is a client.
        @Test func theOperatorNamesWhoElseProbes() async throws {
            let node = try await node(.current)
            try await node.withPolicy("shortest-idle = 100ms\\nprobe-sources = 10.99.0.2, fd00:99::2\\n") {
                try await node.withSleepyPod("meshed", after: "1s") { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitShimLog("watching ports [8080]")
                    try await awaitAnswersAsleep(server) {
                        for address in [pod.ip4, pod.ip6] {
                            let reply = try await node.get(address, port: 8080, from: .outside, options: Self.agent)
                            #expect(reply.code == 200)
                        }
                    }
                    let wakes = try await server.wakes()
                    #expect(try await node.get(pod.ip4, port: 8080, from: .outside).code == 200)
                    try await server.expectWakes(wakes + 1)
                }
            }
        }

        /// What cannot be told from traffic wakes, is served, and the shim says why.
        @Test(arguments: Handover.allCases) func theReasonOfAWakeIsTold(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("reasons", ["handover": handover.rawValue]) { pod in
                let server = try await pod.start("server", image: "python")
                let long = ["--header", "X-Long: " + String(repeating: "x", count: 2000)]
                let requests = [
                    ("it is no probe", "/", []),
                    ("while it was awake this asker has not been answered", "/new", Self.agent),
                    ("its request is longer than 1024 bytes", "/long", Self.agent + long),
                ]
                for (cycle, (reason, path, options)) in requests.enumerated() {
                    try await server.awaitSleep(cycle + 1)
                    let reply = try await node.get(pod.ip4, port: 8080, path: path, options: options)
                    #expect(reply.code == 200)
                    try await server.expectWakes(cycle + 1)
                    try await server.awaitShimLog("wakes: \(reason)")
                }
            }
        }

        /// A command in the container is somebody's work, whoever asked for it: an exec probe cannot be told from
        /// `kubectl exec`, so it wakes.
        @Test func anExecProbeWakes() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("exec") { pod in
                let server = try await pod.start("server", image: "python")
                for cycle in 1...2 {
                    try await server.awaitSleep(cycle)
                    #expect(try await server.exec("sh", "-c", "echo well; exit 3").exitCode == 3)
                    try await server.expectWakes(cycle)
                }
            }
        }

        /// Commands that come again and again keep it awake, and its status says what they may be. One that a person runs is
        /// none.
        @Test func whyNamesExecProbes() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("exec-probed", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                _ = try await server.exec("true")
                #expect(try await !server.sleepReport().why.contains("exec probe"))
                for _ in 1...2 { _ = try await server.exec("true") }
                let why = try await server.sleepReport().why
                #expect(why.contains("commands are run in it again and again: let an exec probe be an HTTP"), "\(why)")
            }
        }

        /// What the kubelet says to a port over TLS cannot be told from use. Others may speak TLS: they are clients.
        @Test func whyNamesProbesOverHTTPS() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("https-probed", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("watching ports [8080]")
                // The server speaks no TLS, so they fail: what counts is what was sent.
                func speakTLS(_ prefix: String = "") async throws {
                    try await node.shell(
                        "\(prefix) curl --silent --insecure --max-time 60 https://\(pod.ip4):8080/", expecting: nil)
                }
                try await speakTLS("ip netns exec client")
                #expect(try await !server.sleepReport().why.contains("TLS"))
                try await speakTLS()
                let why = try await server.sleepReport().why
                #expect(why.contains("the node speaks TLS to port 8080: let an HTTPS probe be an HTTP"), "\(why)")
            }
        }

        /// Asleep a passive port ends what is not HTTP in order, at once, and whoever says nothing after a moment.
        @Test(arguments: Handover.allCases) func passivePortsEndOtherProtocols(_ handover: Handover) async throws {
            let node = try await node(.current)
            let annotations = [
                "passive-ports": "server=7000", "ports-map": "server=8080", "handover": handover.rawValue,
            ]
            try await node.withSleepyPod("passive", after: "1s", annotations) { pod in
                let server = try await pod.start("server", image: "peers")
                try await server.awaitSleep()
                for address in [pod.ip4, pod.ip6] {
                    for word in ["hello", ""] {
                        // cat would fail at a reset.
                        let answer = try await node.run(
                            "ip", "netns", "exec", "client", "bash", "-c",
                            "exec 3<>/dev/tcp/\(address)/7000; printf '\(word)' >&3; cat <&3")
                        #expect(answer.text == "")
                    }
                }
                try await server.expectWakes(0)
                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                try await server.expectWakes(1)
            }
        }
    }
}
