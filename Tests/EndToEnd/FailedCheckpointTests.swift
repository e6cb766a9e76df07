import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// A checkpoint that CRIU refuses leaves the container as it was.
    @Suite struct FailedCheckpointTests {
        @Test(arguments: Containerd.allCases) func holderOfAnIOURingRunsOn(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("holder") { pod in
                let holder = try await pod.start("holder", image: "holder")
                try await holder.awaitLog("holding")
                let pid = try await holder.pid()
                var count = 0
                func expectAnswer() async throws {
                    count += 1
                    #expect(try await node.get(pod.ip4, port: 8080).text == "\(count)\n")
                }
                try await expectAnswer()
                // Connections come while CRIU tries.
                try await holder.awaitCheckpointBegin()
                try await expectAnswer()
                try await holder.awaitShimLog("checkpoint failed, the container runs on")
                // What CRIU says of it in its own words.
                try await holder.awaitShimLog("io_uring")
                try await expectAnswer()
                #expect(try await pod.redirects() == [8080: false])
                #expect(try await holder.processes() == [pid])
                #expect(try holder.sleeps() == 0)
                #expect(try await holder.exec("/holder", "--no-such-thing").exitCode != 0)
            }
        }
    }
}
