import CRI
import Commands
import TestNode

/// Kubernetes' shapes of pods.
extension Check {
    static let pods = [
        Check("containers of a pod share its network, and are reached from everywhere") { setup in
            try await setup.withPod { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                for address in [pod.ip4, pod.ip6] {
                    for origin in [Origin.node, .outside, .pod(pod)] {
                        try expect("code", try await setup.node.get(address, port: 8080, from: origin).code, 200)
                    }
                }
                let neighbour = try await pod.start("neighbour", image: "busybox", command: ["sleep", "1000"])
                try expect(
                    "from a neighbour",
                    try await neighbour.sh("wget -q -O - http://127.0.0.1:8080/").contains("counter"))
            }
        },
        Check("init containers come first, one after the other") { setup in
            try await setup.node.shell("rm -rf /run/order; mkdir /run/order")
            try await setup.withPod { pod in
                let mount: (inout ContainerConfig) -> Void = {
                    $0.mounts = [.init(hostPath: "/run/order", containerPath: "/order")]
                }
                for name in ["first", "second"] {
                    let container = try await pod.start(
                        name, image: "busybox", command: ["sh", "-c", "sleep 0.2; echo \(name) >> /order/log"],
                        adjust: mount)
                    try expect("status of \(name)", try await container.awaitExit().exitCode, 0)
                }
                let main = try await pod.start("main", image: "busybox", command: ["sleep", "1000"], adjust: mount)
                try expect("order", try await main.sh("cat /order/log"), "first\nsecond")
            }
        },
        Check("a sidecar restarts beside the main container") { setup in
            try await setup.withPod { pod in
                let sidecar = try await pod.start("sidecar", image: "busybox", command: ["sleep", "1000"])
                let main = try await pod.start("main", image: "python")
                try await main.awaitLog("listening")
                try await sidecar.stop(timeout: 0)
                try await sidecar.remove()
                _ = try await pod.start("sidecar", image: "busybox", command: ["sleep", "1000"])
                try expect("the main one answers", try await setup.node.get(pod.ip4, port: 8080).code, 200)
                // Sidecars end after the main container.
                try await main.stop(timeout: 1)
                try expect("state", try await main.status().state, .exited)
            }
        },
        Check("a host port leads into the pod") { setup in
            try await setup.withPod(adjust: { $0.hostPorts = [8080: 18080] }) { pod in
                try await pod.start("server", image: "python").awaitLog("listening")
                try expect("code", try await setup.node.get("10.99.0.1", port: 18080, from: .outside).code, 200)
            }
        },
        Check("two pods of one group are served by one shim, and end apart") { setup in
            let groups = ["io.containerd.runc.v2.group": "conformance"]
            guard setup.runtime == .zeropod else {
                throw NotHere(description: "the node passes the annotation to ours only")
            }
            try await setup.node.withPod("one", runtime: setup.runtime, annotations: groups) { one in
                try await setup.node.withPod("two", runtime: setup.runtime, annotations: groups) { two in
                    _ = try await two.start("main", image: "busybox", command: ["sleep", "1000"])
                }
                let main = try await one.start("main", image: "busybox", command: ["sleep", "1000"])
                try expect("state", try await main.status().state, .running)
            }
        },
    ]
}
