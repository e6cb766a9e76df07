import CRI
import Commands
import TestNode

extension Check {
    static let namespaces = [
        Check("host network: the node's interfaces and ports") { setup in
            try await setup.withContainer(
                "httpd -f -p 8099", pod: { $0.namespaces.network = .node },
                adjust: { $0.security.namespaces.network = .node }
            ) { container in
                try expect("the bridge is seen", try await container.sh("ls /sys/class/net").contains("client0"))
                try await eventually("it answers") {
                    try await setup.node.get("127.0.0.1", port: 8099).code == 404
                }
            }
        },
        Check("host processes: the node's are seen") { setup in
            try await setup.withContainer(
                pod: { $0.namespaces.pid = .node }, adjust: { $0.security.namespaces.pid = .node }
            ) { container in
                try expect("containerd is seen", try await container.sh("cat /proc/*/comm").contains("containerd"))
            }
        },
        Check("host IPC: the node's namespace, else the pod's own") { setup in
            let own = try await setup.node.shell("readlink /proc/1/ns/ipc").trimmed
            for mode in [NamespaceMode.node, .pod] {
                try await setup.withContainer(
                    pod: { $0.namespaces.ipc = mode }, adjust: { $0.security.namespaces.ipc = mode }
                ) { container in
                    let seen = try await container.sh("readlink /proc/self/ns/ipc")
                    try expect("the node's", seen == own, mode == .node)
                }
            }
        },
        Check("a shared process namespace: pause is first, neighbours are seen, and end") { setup in
            let given = "/run/shared.\(setup.runtime)"
            try await setup.node.shell("mkdir -p \(given); rm -f \(given)/*")
            try await setup.withPod(adjust: { $0.namespaces.pid = .pod }) { pod in
                let share: (inout ContainerConfig) -> Void = {
                    $0.security.namespaces.pid = .pod
                    $0.mounts = [.init(hostPath: given, containerPath: "/given")]
                }
                _ = try await pod.start("one", image: "busybox", command: ["sleep", "43210"], adjust: share)
                let two = try await pod.start(
                    "two", image: "busybox",
                    command: ["sh", "-c", "sleep 43211 & until [ -e /given/go ]; do sleep 0.02; done"], adjust: share)
                let all = try await two.sh("cat /proc/*/cmdline | tr '\\0' ' '")
                try expect("the neighbour is seen", all.contains("sleep 43210"))
                try expect("pause is first", try await two.sh("cat /proc/1/comm"), "pause")
                try await setup.node.shell("touch \(given)/go")
                _ = try await two.awaitExit()
                try await eventually("what it left behind has ended") {
                    try await setup.node.shell("pgrep -f 'sleep 4321[1]'", expecting: nil).trimmed.isEmpty
                }
            }
        },
        Check("a debug container sees the processes of its target") { setup in
            try await setup.withContainer("sleep 43212 & wait") { target in
                let debug = try await target.pod.start("debug", image: "busybox", command: ["sleep", "1000"]) {
                    $0.security.namespaces.pid = .target
                    $0.security.namespaces.target = target.id
                }
                let all = try await debug.sh("cat /proc/*/cmdline | tr '\\0' ' '")
                try expect("the target's is seen", all.contains("sleep 43212"))
                try await debug.stop(timeout: 0)
                try await debug.remove()
                try expect("the target runs on", try await target.status().state, .running)
            }
        },
        Check("user namespaces: root inside is nobody outside") { setup in
            try await setup.withContainer(
                pod: { $0.namespaces.userRange = 200_000 },
                adjust: { $0.security.namespaces.userRange = 200_000 }
            ) { container in
                let map = try await container.sh("cat /proc/self/uid_map").split(whereSeparator: \.isWhitespace)
                try expect("map", map, ["0", "200000", "65536"])
                try expect("user inside", try await container.sh("id -u"), "0")
                // The root file system is the user's own, whichever ids it has outside.
                try expect("owner of a file", try await container.sh("stat -c %u /bin/busybox"), "0")
                _ = try await container.sh("touch /made")
            }
        },
    ]
}
