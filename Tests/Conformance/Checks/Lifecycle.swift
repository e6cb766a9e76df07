import CRI
import Commands
import TestNode

extension Check {
    static let lifecycle = [
        Check("a container is created, runs, is stopped and removed") { setup in
            try await setup.withPod { pod in
                let container = try await pod.create("main", image: "busybox", command: ["sleep", "1000"])
                try expect("state", try await container.status().state, .created)
                try await container.start()
                try expect("state", try await container.status().state, .running)
                try expect("sandbox is ready", try await pod.node.cri.podSandboxStatus(pod.id).isReady)
                try await container.stop(timeout: 0)
                try expect("state", try await container.status().state, .exited)
                // Again, as the kubelet does.
                try await container.stop(timeout: 0)
                try await container.remove()
                let others = try await pod.node.cri.listContainers().filter { $0.id == container.id }
                try expect("it is not listed", others.isEmpty)
            }
        },
        Check("a container that was never started is removed") { setup in
            try await setup.withPod { pod in
                try await pod.create("main", image: "busybox", command: ["sleep", "1000"]).remove()
            }
        },
        Check("a container whose program is missing fails, and its name is free") { setup in
            try await setup.withPod { pod in
                let wrong = try await pod.create("main", image: "busybox", command: ["/no/such/program"])
                do {
                    try await wrong.start()
                    throw NotSo(description: "it started")
                } catch let error as CallFailed {
                    try expect("'\(error.message)' names it", error.message.contains("/no/such/program"))
                }
                try expect("reason", try await wrong.status().reason, "StartError")
                try await wrong.remove()
                _ = try await pod.start("main", image: "busybox", command: ["sleep", "1000"])
            }
        },
        Check("an ended container is followed by another of the same name") { setup in
            try await setup.withPod { pod in
                for code in [3, 0] {
                    let container = try await pod.start(
                        "main", image: "busybox", command: ["sh", "-c", "exit \(code)"])
                    try expect("status", try await container.awaitExit().exitCode, code)
                    try await container.remove()
                }
            }
        },
        Check("a pod's containers end with it") { setup in
            let pod = try await setup.node.runPod("check", runtime: setup.runtime)
            for name in ["one", "two", "three"] {
                _ = try await pod.start(name, image: "busybox", command: ["sleep", "1000"])
            }
            try await pod.delete()
            let sandboxes = try await setup.node.cri.listPodSandboxes()
            try expect("the sandbox is gone", !sandboxes.contains(pod.id))
        },
        Check("containerd restarts beside a running container") { setup in
            let script = "mkfifo /tmp/go; while true; do read line < /tmp/go; echo $line; done"
            try await setup.withContainer(script) { container in
                let node = setup.node
                _ = try await eventually("the fifo is there") { try await container.sh("test -p /tmp/go") }
                let pid = try await container.pid()
                try await node.stopContainerd()
                try await node.startContainerd()
                try expect("state", try await container.status().state, .running)
                try expect("pid", try await container.pid(), pid)
                _ = try await container.sh("echo after > /tmp/go")
                try await container.awaitLog("after")
                try await container.stop(timeout: 0)
                try expect("status", try await container.status().exitCode, 137)
            }
        },
    ]
}
