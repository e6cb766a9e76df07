import CRI
import Commands
import Glibc
import Measure
import TestNode
import Testing

extension SleepingPods {
    /// What `zeropod.ctrox.dev/wake` keeps ready changes how fast a container wakes, and nothing else.
    @Suite struct WakeOptionTests {
        @Test(arguments: ["on-demand", "standby", "prestarted"]) func containersWakeAsEver(_ option: String)
            async throws
        {
            let node = try await node(.current)
            try await node.withSleepyPod("ready", ["wake": option]) { pod in
                let server = try await pod.start("server", image: "python")
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == cycle)
                }
                try await server.awaitSleep(4)
                // What was kept ready is killed: then criu is started as ever.
                if option != "on-demand" { try await killWhatIsReady(for: server) }
                #expect(try await node.get(pod.ip6, port: 8080).json(ServerState.self).counter == 4)
                // Asleep again it is removed with the pod, and nothing stays: the nodes are looked over at the end.
                try await server.awaitSleep(5)
            }
        }

        /// It stands in the container's cgroups, where nothing else is while the container sleeps.
        private func killWhatIsReady(for container: Container) async throws {
            let ready = try await eventually("something is kept ready") {
                Processes.ofContainer(container.id).first
            }
            #expect(kill(pid_t(ready), SIGKILL) == 0)
        }
    }
}
