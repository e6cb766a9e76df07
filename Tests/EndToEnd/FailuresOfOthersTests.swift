import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Eleven things that went wrong with other runtimes that let containers sleep. Each is tried with both ways in which
    /// the application can get what came while it slept.
    @Suite struct FailuresOfOthersTests {
        /// Gives `body` a server of the image `peers` that sleeps, and clients.
        private func withSleeper(
            _ handover: Handover, after duration: String = "300ms", _ containerd: Containerd = .current,
            _ body: (Pod, Container, Peers) async throws -> Void
        ) async throws {
            let node = try await node(containerd)
            try await node.withPeers { clients in
                try await node.withSleepyPod("others", after: duration, ["handover": handover.rawValue]) { pod in
                    let server = try await pod.start("server", image: "peers")
                    try await server.awaitSleep()
                    try await body(pod, server, clients)
                }
            }
        }

        /// 1. "The first response is truncated when the server closes and the client is slow (20 Mbit/s)."
        @Test(arguments: Handover.allCases) func aSlowClientGetsAll(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                let device = ["nsenter", "--net=\(pod.networkNamespace)", "tc", "qdisc"]
                let narrow = device + ["add", "dev", "eth0", "root", "tbf"]
                try await pod.node.shell(
                    (narrow + ["rate", "20mbit", "burst", "32kb", "latency", "50ms"]).joined(separator: " "))
                try await clients.run("slow_read", pod.ip4, "20000000")
                #expect(try await server.wakes() >= 1)
            }
        }

        /// 2. "The first connection is cut at 5.0 s even while active."
        @Test(arguments: Handover.allCases) func theFirstConnectionLasts(_ handover: Handover) async throws {
            // Clients of a busy machine may well be silent for 300 ms.
            try await withSleeper(handover, after: "3s") { pod, server, clients in
                try await clients.run("steady", pod.ip4, "12")
                #expect(try await server.wakes() >= 1)
                try await server.expectSleeps(1, "it is not idle in the middle of it")
            }
        }

        /// 3. "The application sees 127.0.0.1 as the client." `FirstConnectionTests.theClientIsSeen` asks from everywhere.
        @Test(arguments: Handover.allCases) func theApplicationSeesItsClient(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("seen", ["handover": handover.rawValue]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                let state = try await node.get(pod.ip4, port: 8080, from: .outside).json(ServerState.self)
                #expect(state.client == "10.99.0.2")
            }
        }

        /// 4. "A half-closed request gets no answer."
        @Test(arguments: Handover.allCases) func aHalfClosedRequestIsAnswered(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                try await clients.run("half_close", pod.ip6, "300000")
                #expect(try await server.wakes() >= 1)
            }
        }

        /// 5. "Protocols where the server speaks first never wake." Also if the client is on the node, where one that says
        /// nothing might be a probe.
        @Test(arguments: Handover.allCases) func theServerMaySpeakFirst(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                for (cycle, (client, origin)) in [("smtp", Origin.outside), ("mysql", .node)].enumerated() {
                    try await server.awaitSleep(cycle + 1)
                    try await clients.run(client, pod.ip4, from: origin)
                    #expect(try await server.wakes() >= cycle + 1)
                }
            }
        }

        /// 6. "A silent 5 s request dies when the scale-down time is 1 s …"
        @Test(arguments: Handover.allCases) func aSilentRequestIsAnswered(_ handover: Handover) async throws {
            try await withSleeper(handover, after: "1s") { pod, server, clients in
                try await clients.run("silent", pod.ip4, "5000")
                try await server.expectSleeps(1)
            }
        }

        /// 6. "… and idle keep-alive clients get EOF": at worst that, and never a reset.
        @Test(arguments: Handover.allCases) func anIdleClientIsNotReset(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                // The one that wakes it, and one that comes while it is awake.
                for cycle in 1...2 {
                    try await server.awaitSleep(cycle)
                    let fate = try await clients.run("idle", pod.ip4, "3").trimmed
                    #expect(["kept", "closed"].contains(fate))
                }
            }
        }

        /// 7. "The kubelet's address is learned from whatever task the softirq interrupted, and a real client was then
        /// ignored." Names of programs mean nothing: a client named kubelet wakes, and so does everybody after it.
        @Test(arguments: Handover.allCases) func namesOfProgramsMeanNothing(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, _ in
                let node = pod.node
                try await node.run("cp", "/bin/curl", "/run/kubelet")
                for (cycle, enter) in ["", "ip netns exec client ", ""].enumerated() {
                    try await server.awaitSleep(cycle + 1)
                    // From another address than the node's it is nobody's probe, whatever it says.
                    let agent = cycle == 1 ? "--user-agent kube-probe/1.36" : ""
                    try await node.shell("\(enter)/run/kubelet -sSf \(agent) http://\(pod.ip4):8080/")
                    #expect(try await server.wakes() >= cycle + 1)
                }
                try await server.awaitSleep(4)
                #expect(try await node.get(pod.ip4, port: 8080, from: .outside).code == 200)
                #expect(try await server.wakes() >= 4)
            }
        }

        /// 8. "Two clients with the same source port disturb each other."
        @Test(arguments: Handover.allCases) func clientsMayHaveTheSamePort(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                let node = pod.node
                try await node.run("ip", "-n", "client", "address", "add", "10.99.0.3/24", "dev", "eth0")
                try await clients.run("same_port", pod.ip4, "10.99.0.2,10.99.0.3")
                try await node.run("ip", "-n", "client", "address", "del", "10.99.0.3/24", "dev", "eth0")
                #expect(try await server.wakes() >= 1)
            }
        }

        /// 9. "Localhost traffic is not activity."
        @Test(arguments: Handover.allCases) func neighboursInThePodCount(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                for (cycle, address) in ["127.0.0.1", "::1"].enumerated() {
                    try await server.awaitSleep(cycle + 1)
                    // It wakes, and stays awake as long as they speak.
                    try await clients.run("steady", address, "2", from: .pod(pod))
                    #expect(try await server.wakes() >= cycle + 1)
                    try await server.expectSleeps(cycle + 1)
                }
            }
        }

        /// 10. "A burst of 2,000 connections saw 1,249 resets."
        @Test(arguments: Handover.allCases) func aBurstIsServed(_ handover: Handover) async throws {
            try await withSleeper(handover) { pod, server, clients in
                try await clients.run("burst", pod.ip4, "2000")
                #expect(try await server.wakes() >= 1)
            }
        }

        /// 11. "kill -9 of the shim asleep leaves images, pins and a dead pod." Nothing is left, containerd sees the
        /// container end, and a new one takes its place. `EndInEveryStateTests.endsWithItsShim` has the other states.
        @Test(arguments: Containerd.allCases) func aKilledShimLeavesNothing(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let pod = try await node.runPod("killed", runtime: .zeropod, annotations: sleepy())
            let server = try await pod.start("server", image: "python")
            try await server.awaitSleep()
            try await node.run("kill", "-KILL", "\(pod.shimProcess())")
            #expect([137, 255].contains(try await server.awaitExit().exitCode))
            try await pod.delete()
            let left = try await node.lastingLeftovers()
            #expect(left == [])
            try await node.withSleepyPod("next") { next in
                let server = try await next.start("server", image: "python")
                try await server.awaitSleep()
                #expect(try await node.get(next.ip4, port: 8080).code == 200)
            }
        }
    }
}
