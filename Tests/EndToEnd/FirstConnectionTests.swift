import CRI
import Commands
import TestNode
import Testing

/// How an application gets what came while it slept: the values of the annotation `handover`.
enum Handover: String, CaseIterable, Sendable {
    case acceptQueue = "accept-queue"
    case relay
}

extension SleepingPods {
    /// The connections that wake a container are as whole as all others.
    @Suite struct FirstConnectionTests {
        /// Whoever calls, and whichever way it comes: what the application sees is what it would see awake.
        @Test(arguments: Containerd.usual, Handover.allCases)
        func theClientIsSeen(_ containerd: Containerd, _ handover: Handover) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("client", ["handover": handover.rawValue]) { pod in
                let server = try await pod.start("server", image: "python")
                let callers: [(String, Origin, String)] = [
                    (pod.ip4, .outside, "10.99.0.2"), (pod.ip6, .outside, "fd00:99::2"), (pod.ip4, .node, "10.88.0.1"),
                    (pod.ip6, .pod(pod), pod.ip6), ("127.0.0.1", .pod(pod), "127.0.0.1"), ("::1", .pod(pod), "::1"),
                ]
                for (cycle, (address, origin, client)) in callers.enumerated() {
                    try await server.awaitSleep(cycle + 1)
                    let state = try await node.get(address, port: 8080, from: origin).json(ServerState.self)
                    #expect(state.client == client)
                    #expect(state.counter == cycle + 1)
                }
                // The node's is received as a possible probe, and relayed either way.
                #expect(try await pod.steered() == (handover == .relay ? callers.count : 1))
            }
        }

        @Test(arguments: Handover.allCases) func manyAtOnceAreServed(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("many", ["handover": handover.rawValue]) { pod in
                let server = try await pod.start("nginx", image: "nginx")
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    let replies = try await withThrowingTaskGroup(of: String.self) { group in
                        for client in 0..<20 {
                            let address = client.isMultiple(of: 2) ? pod.ip4 : pod.ip6
                            group.addTask { try await node.get(address, port: 80, from: .outside).text }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(replies == [String](repeating: "hello from nginx\n", count: 20))
                }
            }
        }
    }
}
