import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// A counter in memory tells whether anything was lost: it goes up by one with each request and never back.
    @Suite struct ManySleepsTests {
        @Test(arguments: Containerd.usual) func counterSurvivesThirtySleeps(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("thirty", after: "200ms") { pod in
                let server = try await pod.start("server", image: "python")
                var early = (descriptors: 0, children: 0)
                for cycle in 1...30 {
                    try await server.awaitSleep(cycle)
                    // Asleep, the shim holds what it held after the first few times, and no more.
                    if cycle == 3 { early = try await holdings(ofShimOf: pod) }
                    if cycle == 30 { #expect(try await holdings(ofShimOf: pod) == early) }
                    let address = cycle.isMultiple(of: 2) ? pod.ip4 : pod.ip6
                    #expect(try await node.get(address, port: 8080).json(ServerState.self).counter == cycle)
                }
                #expect(try await server.status().state == .running)
            }
        }

        private func holdings(ofShimOf pod: Pod) async throws -> (descriptors: Int, children: Int) {
            let pid = try await pod.shimProcess()
            let counts = try await pod.node.shell("ls /proc/\(pid)/fd | wc -l; pgrep -c -P \(pid)").lines.map {
                Int($0) ?? -1
            }
            return (counts[0], counts[1])
        }

        /// Requests at any moment: while it runs, while it falls asleep, while it sleeps.
        @Test func requestsAtRandomMomentsAreAnswered() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("random", after: "100ms") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                for request in 1...40 {
                    // Around the moment at which the container falls asleep. The pause decides what is tried, and
                    // not what is expected.
                    try await Task.sleep(for: .milliseconds(.random(in: 0...200)))
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == request)
                }
                #expect(try await server.sleeps() > 1)
            }
        }

        /// The larger the memory, the longer the dump: requests find it under way, or just ended.
        @Test func requestsDuringCheckpointsAreAnswered() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("during", after: "500ms") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                _ = try await node.get(pod.ip4, port: 8080, path: "/allocate?mb=200")
                for request in 2...5 {
                    try await server.awaitCheckpointBegin()
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == request)
                    // Whichever won, the container runs again.
                    #expect(try await server.processes().count == 1)
                }
            }
        }

        @Test(arguments: Containerd.usual) func threePodsAtOnce(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await withThrowingTaskGroup { group in
                for name in ["first", "second", "third"] {
                    group.addTask {
                        try await node.withSleepyPod(name) { pod in
                            let server = try await pod.start("server", image: "python")
                            for cycle in 1...5 {
                                try await server.awaitSleep(cycle)
                                let state = try await node.get(pod.ip4, port: 8080).json(ServerState.self)
                                #expect(state.counter == cycle, "pod \(name)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
