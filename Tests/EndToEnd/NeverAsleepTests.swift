import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Containers that are not ours to put to sleep run on, and the shim's log says why.
    @Suite struct NeverAsleepTests {
        @Test(arguments: Containerd.usual) func theOthersRunOn(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("others", ["container-names": "web,portless,terminal"]) { pod in
                let web = try await pod.start("web", image: "python")
                let portless = try await pod.start("portless", image: "busybox", command: ["sleep", "1000"])
                let terminal = try await pod.start(
                    "terminal", image: "python", environment: ["PORT": "8081"]
                ) { $0.terminal = true }
                let unnamed = try await pod.start("unnamed", image: "python", environment: ["PORT": "8082"])
                let others = [portless, terminal, unnamed]
                var pids: [[Int]] = []
                for container in others { pids.append(try await container.processes()) }
                // Their neighbour falls asleep meanwhile, as often as it may.
                for cycle in 1...4 {
                    try await web.awaitSleep(cycle)
                    _ = try await node.get(pod.ip4, port: 8080)
                }
                for (container, before) in zip(others, pids) {
                    try await container.expectSleeps(0, "\(container.name)")
                    #expect(try await container.processes() == before, "\(container.name)")
                }
                for port in [8081, 8082] {
                    #expect(try await node.get(pod.ip4, port: port).json(ServerState.self).counter == 1)
                }
                try await portless.awaitShimLog("stays awake: no listening TCP port has been found yet")
                try await terminal.awaitShimLog("stays awake: it has a terminal")
                try await unnamed.awaitShimLog("stays awake: it is not among zeropod.ctrox.dev/container-names")
                let log = try pod.containerdLog()
                #expect(log.contains("msg=\"stays awake: it is the sandbox\" container=\"\(pod.id)\""))
            }
        }

        @Test(arguments: Containerd.usual) func zeroMeansNever(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("zero", after: "0") { pod in
                let server = try await pod.start("server", image: "python")
                try await node.withSleepyPod("clock") { clock in
                    try await clock.start("clock", image: "python").awaitSleep()
                }
                try await server.expectSleeps(0)
                #expect(try await server.processes().count == 1)
                try await server.awaitShimLog("stays awake: zeropod.ctrox.dev/scaledown-duration is 0")
            }
        }

        @Test(arguments: Containerd.usual) func terminalsWork(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("terminal") { pod in
                let shell = try await pod.start("shell", image: "busybox", command: ["sh", "-c", "tty; sleep 1000"]) {
                    $0.terminal = true
                }
                try await shell.awaitLog("/dev/pts/0")
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                // Into the container with a terminal, and into the one that sleeps; script(1) gives ctr one to pass on.
                for container in [shell, server] {
                    let exec = "ctr -n k8s.io tasks exec -t --exec-id try \(container.id) sh -c 'tty; exit 4'"
                    let output = try await node.run("script", "-qec", exec, "/dev/null", expecting: 4)
                    #expect(output.text.contains("/dev/pts/"), "\(container.name)")
                }
            }
        }
    }
}
