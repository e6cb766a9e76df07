import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// A checkpoint that CRIU refuses leaves the container as it was; it is frozen instead, unless that is not wanted.
    @Suite struct FailedCheckpointTests {
        @Test(arguments: Containerd.usual) func holderOfAnIOURingRunsOn(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("holder", ["sleep": "checkpoint"]) { pod in
                let holder = try await pod.start("holder", image: "holder")
                try await holder.awaitLog("holding")
                let pid = try await holder.pid()
                var count = 0
                func expectAnswer() async throws {
                    count += 1
                    #expect(try await node.get(pod.ip4, port: 8080).text == "\(count)\n")
                }
                try await expectAnswer()
                try await holder.awaitShimLog("checkpoint failed, the container runs on")
                // CRIU does not always name it: where it stumbles over the io_uring differs by kernel.
                try await holder.awaitShimLog("has an io_uring, which cannot be given back")
                try await expectAnswer()
                #expect(try await pod.redirects() == [8080: false])
                #expect(try await holder.processes() == [pid])
                try await holder.expectSleeps(0)
                #expect(try await holder.sleepReport().state == "running")
                #expect(try await holder.exec("/holder", "--no-such-thing").exitCode != 0)
            }
        }

        @Test(arguments: Containerd.usual) func holderOfAnIOURingIsFrozen(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("holder") { pod in
                let holder = try await pod.start("holder", image: "holder")
                for cycle in 1...3 {
                    try await holder.awaitFreeze(cycle)
                    #expect(try await holder.sleepReport().state == "frozen")
                    #expect(try await node.get(pod.ip4, port: 8080).text == "\(cycle)\n")
                }
                // CRIU has been asked once.
                #expect(try holder.shimLog().count { $0.contains("checkpoint failed") } == 1)
                try await holder.expectSleeps(0)
                #expect(try await holder.exec("/holder", "--no-such-thing").exitCode != 0)
            }
        }
    }
}
