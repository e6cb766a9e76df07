import Commands
import TestNode

extension Check {
    static let shims = [
        Check("a shim is ended by want of memory after containerd, not before") { setup in
            try await setup.withPod { pod in
                let script =
                    "cat /proc/\(try await pod.shimProcess())/oom_score_adj /proc/$(cat /run/containerd.pid)/oom_score_adj"
                let scores = try await setup.node.shell(script).lines.compactMap { Int($0) }
                try expect("score above containerd's", scores[0] - scores[1], 1)
            }
        },
        Check("20 pods leave no descriptor in containerd") { setup in
            let count = "ls /proc/$(cat /run/containerd.pid)/fd | wc -l"
            try await setup.withContainer { _ in }
            let before = Int(try await setup.node.shell(count).trimmed) ?? 0
            for _ in 1...20 { try await setup.withContainer { _ = try await $0.exec("true") } }
            try await eventually("descriptors are as before (\(before))") {
                Int(try await setup.node.shell(count).trimmed) ?? .max <= before + 2
            }
        },
        Check("a terminal takes one descriptor of its shim, and none when the container is gone") { setup in
            try await setup.withPod { pod in
                let shim = try await pod.shimProcess()
                func terminals() async throws -> Int? {
                    let list = "ls -l /proc/\(shim)/fd | grep -c ptmx"
                    return Int(try await setup.node.shell(list, expecting: nil).trimmed)
                }
                let container = try await pod.start(
                    "main", image: "busybox", command: ["sh"],
                    adjust: {
                        $0.terminal = true
                        $0.stdin = true
                    })
                // The stock shim may have opened it a moment after Start.
                try await eventually("there is one") { try await terminals() == 1 }
                try await container.stop(timeout: 0)
                try await container.remove()
                // The stock shim never closes it, and each run waits for that.
                try await eventually("there is none", within: .seconds(20)) { try await terminals() == 0 }
            }
        },
        Check("a killed shim: the container is seen to end, and the pod can be removed") { setup in
            try await setup.withContainer { container in
                try await setup.node.run("kill", "-KILL", "\(container.pod.shimProcess())")
                let status = try await container.awaitExit()
                try expect("status \(status.exitCode)", [137, 255].contains(status.exitCode))
            }
        },
        Check("an end while containerd is away is known afterwards") { setup in
            let given = "/run/away.\(setup.runtime)"
            try await setup.node.shell("mkdir -p \(given); rm -f \(given)/*")
            try await setup.withContainer(
                "until [ -e /given/go ]; do sleep 0.02; done; exit 7",
                adjust: { $0.mounts = [.init(hostPath: given, containerPath: "/given")] }
            ) { container in
                let pid = try await container.pid()
                try await setup.node.stopContainerd()
                do {
                    try await setup.node.shell(
                        "touch \(given)/go; while kill -0 \(pid); do sleep 0.02; done 2>/dev/null")
                } catch {
                    try await setup.node.startContainerd()
                    throw error
                }
                try await setup.node.startContainerd()
                let status = try await container.awaitExit()
                // containerd ends a shim in which nothing runs any more, and gives the status of what it lost sight of; it does
                // not ask for what was written meanwhile either.
                try expect("status \(status.exitCode)", [7, 255].contains(status.exitCode))
            }
        },
        Check("what the program says of itself is understood") { setup in
            guard setup.node.containerd == .current else {
                throw NotHere(description: "containerd 1.7 does not ask")
            }
            let info = try await setup.node.shell("ctr plugins inspect-runtime --runtime \(setup.shimName)")
            try expect("features", info.text.contains("cgroup"))
        },
    ]
}
