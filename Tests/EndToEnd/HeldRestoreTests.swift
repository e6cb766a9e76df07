import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// What comes while a restore is under way waits for its end, and one restore serves all.
    @Suite struct HeldRestoreTests {
        @Test(arguments: Containerd.usual) func allWhoWaitAreServed(_ containerd: Containerd) async throws {
            try await node(containerd).withHeldRestore { pod, server, letGo in
                async let second = pod.node.get(pod.ip6, port: 8080, from: .outside)
                async let third = pod.node.get("::1", port: 8080, from: .pod(pod))
                async let exec = server.exec("echo", "here")
                try await eventually("both are held") { try await pod.waiting() == 3 }
                try await letGo()
                let counters = try await [second, third].map { try $0.json(ServerState.self).counter }
                #expect(Set(counters).isSubset(of: [1, 2, 3]) && counters.count == 2)
                #expect(try await exec.stdout == "here\n")
                try await server.expectWakes(1)
            }
        }

        /// A client that goes away before the container is awake takes nothing with it.
        @Test func impatientClientIsForgotten() async throws {
            try await node(.current).withHeldRestore { pod, server, letGo in
                let gone = try await pod.node.run(
                    "curl", "--silent", "--max-time", "0.2", "http://\(pod.ip4):8080", expecting: 28)
                #expect(gone.stdout.isEmpty)
                try await letGo()
                #expect(try await pod.node.get(pod.ip4, port: 8080).code == 200)
                // It may have slept again before that.
                #expect(try await server.wakes() >= 1)
            }
        }
    }
}
