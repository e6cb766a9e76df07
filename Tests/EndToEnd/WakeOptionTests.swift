import Commands
import TestNode
import Testing

extension SleepingPods {
    /// What `zeropod.ctrox.dev/wake` keeps ready changes how fast a container wakes, and nothing else.
    @Suite struct WakeOptionTests {
        @Test(arguments: ["standby", "prestarted"]) func containersWakeAsEver(_ option: String) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("ready", ["wake": option]) { pod in
                let server = try await pod.start("server", image: "python")
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == cycle)
                }
                // What was kept ready is killed: then criu is started as ever.
                try await server.awaitSleep(4)
                let ready = try await eventually("something is kept ready") {
                    let pids = try await node.shell("pgrep -f 'criu swrk|shim-zeropod' | xargs -r ps -o pid=,ppid= -p")
                        .lines
                        .map { $0.split(separator: " ").compactMap { Int($0) } }
                    let shims = Set(pids.compactMap(\.first))
                    let children = pids.filter { $0.count == 2 && shims.contains($0[1]) }.map { $0[0] }
                    return children.isEmpty ? nil : children
                }
                for pid in ready { _ = try await node.run("kill", "-KILL", "\(pid)") }
                #expect(try await node.get(pod.ip6, port: 8080).json(ServerState.self).counter == 4)
                // Asleep again it is removed with the pod, and nothing stays: the nodes are looked over at the end.
                try await server.awaitSleep(5)
            }
        }
    }
}
