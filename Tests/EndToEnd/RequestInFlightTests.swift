import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// A container that owes an answer is not idle, however long it thinks and however still the wire is meanwhile.
    @Suite struct RequestInFlightTests {
        @Test(arguments: Containerd.allCases) func slowAnswerIsWaitedFor(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("slow") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                // The first one wakes it and is relayed; the second goes straight.
                for (number, address) in [pod.ip4, pod.ip6].enumerated() {
                    let reply = try await node.get(address, port: 8080, path: "/slow?ms=1500")
                    #expect(try reply.json(ServerState.self).counter == number + 1)
                    #expect(reply.seconds > 1.5)
                }
                let sleeps = try server.sleeps()
                #expect(sleeps == 1 || sleeps == 2, "it slept between the requests at most")
                // An answered client that stays connected keeps nobody awake.
                try await server.awaitSleep(sleeps + 1)
            }
        }
    }
}
