import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// Without Kubernetes and CRI: a container that ctr runs, in a network of its own that has nothing but lo, without
    /// streams.
    @Suite struct PlainContainerTests {
        @Test(arguments: Containerd.allCases) func containerOfCtrSleepsAndWakes(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let annotations = sleepy().flatMap { ["--annotation", "\($0)=\($1)"] }.joined(separator: " ")
            let ctr = "ctr -n k8s.io"
            try await node.shell(
                "\(ctr) run -d --runtime io.containerd.zeropod.v2 \(annotations) zeropod.test/redis:1 plain")
            do {
                let pid = try await node.shell("\(ctr) tasks list | awk '$1 == \"plain\" { print $2 }'").trimmed
                // Its network is only reachable through the process, which goes: hold it by a mount.
                try await node.shell("touch /run/plain; mount --bind /proc/\(pid)/ns/net /run/plain")
                for visit in 1...3 {
                    try await eventually("no process of it is left") {
                        try await node.shell("pgrep -f redis-server", expecting: nil).text.isEmpty
                    }
                    #expect(try await node.shell("\(ctr) tasks list").text.contains("RUNNING"))
                    let answer = try await node.shell("nsenter --net=/run/plain redis-cli incr visits")
                    #expect(answer.trimmed == "\(visit)")
                }
            } catch {
                Issue.record(error)
            }
            try await node.shell("umount /run/plain; \(ctr) tasks delete --force plain; \(ctr) containers delete plain")
            let left = try await node.lastingLeftovers()
            #expect(left == [])
        }
    }
}
