import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// An exec wakes a sleeping container and keeps it awake until it ends.
    @Suite struct AwakeForWorkTests {
        @Test(arguments: Containerd.allCases) func execWakes(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("exec") { pod in
                let server = try await pod.start("server", image: "python")
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    let result = try await server.exec("sh", "-c", "cat /proc/1/comm; exit \(cycle)")
                    #expect(result.stdout == "python3\n")
                    #expect(result.exitCode == cycle)
                }
                try await server.awaitSleep(4)
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            }
        }

        @Test(arguments: Containerd.usual) func runningExecKeepsAwake(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("busy") { pod in
                let server = try await pod.start("server", image: "python")
                // Beside it, to tell how long that is.
                let clock = try await pod.start("clock", image: "python", environment: ["PORT": "8081"])
                try await server.awaitSleep()
                async let exec = server.exec("sh", "-c", "mkfifo /tmp/go; read line < /tmp/go; echo gone on")
                try await eventually("the exec has woken the server") { try await server.wakes() == 1 }
                for cycle in 1...4 {
                    try await clock.awaitSleep(cycle)
                    _ = try await node.get(pod.ip4, port: 8081)
                }
                try await server.expectSleeps(1)
                // Another exec ends the first, and does not end its stay.
                _ = try await server.exec("sh", "-c", "echo > /tmp/go")
                #expect(try await exec.stdout == "gone on\n")
                try await server.awaitSleep(2)
            }
        }

        /// What is asked of a sleeping container without need of its processes leaves it asleep.
        @Test(arguments: Containerd.usual) func questionsLetItSleep(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("asked") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                #expect(try await server.status().state == .running)
                _ = try await server.stats()
                let tasks = try await node.run("ctr", "-n", "k8s.io", "tasks", "list")
                #expect(tasks.lines.contains { $0.hasPrefix(server.id) && $0.contains("RUNNING") })
                #expect(try await node.run("ctr", "-n", "k8s.io", "tasks", "ps", server.id).lines.count == 2)
                try await server.expectWakes(0)
            }
        }

        /// No exit is told of while a container sleeps and wakes, and one when it ends.
        @Test(arguments: Containerd.allCases) func noExitIsToldOf(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let file = "/tmp/events"
            let listener = try await node.shell("ctr events >\(file) 2>&1 & echo $!").trimmed
            try await node.withSleepyPod("quiet") { pod in
                let server = try await pod.start("server", image: "python")
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    _ = try await node.get(pod.ip4, port: 8080)
                }
                try await server.stop()
                let exits = "grep /tasks/exit \(file) | grep -c \(server.id) || true"
                try await eventually("the exit is told") { try await node.shell(exits).trimmed != "0" }
                #expect(try await node.shell(exits).trimmed == "1")
            }
            try await node.run("kill", listener)
        }
    }
}
