import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// Whoever needs the container while a checkpoint is under way wins. A stand-in before criu makes checkpoints wait
    /// for the test, so that nothing depends on who is faster.
    @Suite struct HeldCheckpointTests {
        /// As long as it runs it accepts; nothing is in the way of the request.
        @Test(arguments: Containerd.usual) func requestWins(_ containerd: Containerd) async throws {
            try await node(containerd).withHeldCheckpoint { pod, server, letGo in
                let answer = try await pod.node.get(pod.ip6, port: 8080, from: .outside)
                #expect(try answer.json(ServerState.self).counter == 1)
                try await letGo()
                try await server.awaitShimLog("checkpoint given up")
                // It may be asleep again by now.
                try await server.expectWakes(0)
            }
        }

        @Test func requestThatWaitsForTheRelayWins() async throws {
            let node = try await node(.current)
            try await node.withHeldCheckpoint(["handover": "relay"]) { pod, server, letGo in
                async let answer = pod.node.get(pod.ip6, port: 8080, from: .outside)
                try await eventually("the request is held") { try await pod.waiting() == 1 }
                try await letGo()
                #expect(try await answer.json(ServerState.self).counter == 1)
                try await server.awaitShimLog("checkpoint given up")
                // It may be asleep again by now.
                try await server.expectWakes(0)
            }
        }
    }
}
