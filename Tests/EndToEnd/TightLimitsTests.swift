import Commands
import TestNode
import Testing

extension SleepingPods {
    /// CRIU restores inside of the container's cgroups. A container that may have no more processes and hardly more memory
    /// than it has wakes all the same, and its limits are afterwards what they were.
    @Suite struct TightLimitsTests {
        @Test(arguments: Containerd.usual, ["on-demand", "standby", "prestarted"])
        func containerAtItsLimitsWakes(_ containerd: Containerd, _ wake: String) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("tight", after: "2s", ["wake": wake]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let shim = try await server.shim()
                for sleep in 1...2 {
                    _ = try await node.get(pod.ip4, port: 8080, path: "/allocate?mb=20")
                    // A request has a thread of its own, which is a task to the kernel.
                    let tasks = try await server.processes().count + 1
                    let memory = try await shim.stats(server.id).memoryUsage + (4 << 20)
                    let limits = #"{"pids":{"limit":\#(tasks)},"memory":{"limit":\#(memory),"swap":\#(memory)}}"#
                    try await shim.update(server.id, resources: limits)
                    let before = try await self.limits(of: server)
                    try await server.awaitSleep(sleep)
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == sleep * 2)
                    try await eventually("the limits are as before") { try await self.limits(of: server) == before }
                    try await shim.update(
                        server.id, resources: #"{"pids":{"limit":-1},"memory":{"limit":-1,"swap":-1}}"#)
                }
                try await server.expectWakes(2)
            }
        }

        private func limits(of server: Container) async throws -> [String] {
            let script = "cd /sys/fs/cgroup; cat {pids,memory,.}/k8s.io/$ID/{pids.max,memory.max,memory.limit_in_bytes}"
            return try await server.pod.node.shell("ID=\(server.id); \(script) 2>/dev/null", expecting: nil).lines
                .map(String.init)
        }
    }
}
