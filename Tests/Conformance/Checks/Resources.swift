import CRI
import Commands
import TestNode

extension Check {
    static let resources = [
        Check("limits hold, and new ones after an update") { setup in
            try await setup.withContainer(adjust: {
                $0.resources.memoryLimit = 64 << 20
                $0.resources.cpuShares = 512
            }) { container in
                try expect("memory", try await container.memoryLimit(), 64 << 20)
                var resources = Resources()
                resources.memoryLimit = 96 << 20
                resources.cpuPeriod = 100_000
                resources.cpuQuota = 50_000
                try await setup.node.cri.updateContainerResources(container.id, resources)
                try expect("memory after the update", try await container.memoryLimit(), 96 << 20)
                let quota = "cd /sys/fs/cgroup; cat cpu.max cpu/cpu.cfs_quota_us 2>/dev/null; true"
                try expect("processor time", try await container.sh(quota).hasPrefix("50000"))
            }
        },
        Check("want of memory ends a container with 137, OOMKilled") { setup in
            try await setup.withContainer(
                "exec python3 -c 'b\"x\" * (1 << 30)'", image: "python",
                adjust: { $0.resources.memoryLimit = 32 << 20 }
            ) { container in
                try expect("status", try await container.awaitExit().exitCode, 137)
                try await eventually("the reason is told") { try await container.status().reason == "OOMKilled" }
            }
        },
        Check("statistics count memory and time") { setup in
            try await setup.withContainer("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1000") { container in
                try await eventually("time has been used") { try await container.stats().cpuNanoseconds > 1_000_000 }
                try expect("memory is used", try await container.stats().usageBytes > 0)
            }
        },
        Check("a deleted container has no statistics, its neighbour has") { setup in
            try await setup.withPod { pod in
                let stays = try await pod.start("stays", image: "busybox", command: ["sleep", "1000"])
                let goes = try await pod.start("goes", image: "busybox", command: ["sleep", "1000"])
                try await goes.stop(timeout: 0)
                try await goes.remove()
                let metrics = try await setup.node.run("ctr", "-n", "k8s.io", "tasks", "metrics", stays.id)
                try expect("the neighbour's are there", metrics.text.contains("memory"))
                _ = try await setup.node.run("ctr", "-n", "k8s.io", "tasks", "metrics", goes.id, expecting: 1)
            }
        },
    ]
}
