import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// `kubectl debug --target`: a container that joins another one's process namespace, which a sleeping one has not.
    @Suite struct DebugContainerTests {
        @Test(arguments: Containerd.usual) func itsTargetWakesAndStaysAwake(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("debug", ["container-names": "server"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                // Twice, so that the pid that containerd was shown last is not the first one.
                for round in 1...2 {
                    let debug = try await pod.start("debug", image: "busybox", command: ["sleep", "1000"]) {
                        $0.security.namespaces.pid = .target
                        $0.security.namespaces.target = server.id
                    }
                    #expect(try await debug.exec("cat", "/proc/1/comm").stdout == "python3\n")
                    // Another container falls asleep meanwhile, as often as it may; this one may not.
                    try await node.withSleepyPod("clock") { clock in
                        let other = try await clock.start("clock", image: "python")
                        for cycle in 1...3 {
                            try await other.awaitSleep(cycle)
                            _ = try await node.get(clock.ip4, port: 8080)
                        }
                    }
                    try await server.expectSleeps(round)
                    #expect(try await debug.status().state == .running)
                    // An ended one does not matter any more, though Kubernetes does not remove it.
                    try await debug.stop(timeout: 0)
                    try await server.awaitSleep(round + 1)
                    try await debug.remove()
                }
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            }
        }
    }
}
