import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// What a container prints stays one log: no line is lost, none is there twice, none before its time.
    @Suite struct LogContinuityTests {
        @Test(arguments: Containerd.usual) func logGoesOnAcrossTwentySleeps(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("talker", after: "200ms") { pod in
                // A line on each stream every 20 milliseconds: whenever the processes are stopped, some have just been
                // written.
                let server = try await pod.start("server", image: "python", environment: ["TICK": "20"])
                for cycle in 1...21 {
                    try await server.awaitSleep(cycle)
                    _ = try await node.get(pod.ip4, port: 8080)
                }
                try await server.stop()
                let log = try server.log()
                for stream in ["stdout", "stderr"] {
                    let ticks = log.filter { $0.stream == stream && $0.text.hasPrefix("tick ") }.map(\.text)
                    #expect(ticks.count > 21 * 5, "\(stream): too few lines to show anything")
                    #expect(ticks == (1...max(1, ticks.count)).map { "tick \($0)" }, "\(stream)")
                }
                let requests = log.compactMap { $0.text.hasPrefix("request ") ? $0.text.split(separator: " ")[1] : nil }
                #expect(requests == (1...21).map { "\($0)" })
            }
        }

        /// The kubelet moves the log away while the container sleeps.
        @Test(arguments: Containerd.usual) func rotatedLogGoesOn(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("rotated") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                try server.rotateLog()
                try await node.cri.reopenContainerLog(server.id)
                _ = try await node.get(pod.ip4, port: 8080)
                try await server.awaitLog("request 1 ")
                #expect(try server.log().count == 1)
            }
        }
    }
}
