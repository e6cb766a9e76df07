import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// containerd goes and comes back, or the shim is killed, while a checkpoint or a restore is held in the middle.
    @Suite struct RestartInTheMiddleTests {
        @Test(arguments: Containerd.usual) func checkpointOutlivesContainerd(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withHeldCheckpoint { pod, server, letGo in
                let pid = try await server.pid()
                try await node.stopContainerd()
                try await letGo()
                try await eventually("it sleeps") { try await server.shim().pids(server.id) == [pid] }
                try await node.startContainerd()
                try await eventually("it runs") { (try? await server.status().state) == .running }
                #expect(try await server.pid() == pid)
                try await server.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            }
        }

        @Test(arguments: Containerd.usual) func restoreOutlivesContainerd(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withHeldRestore { pod, server, letGo in
                try await node.stopContainerd()
                try await letGo()
                // Served while containerd is away.
                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                try await node.startContainerd()
                try await eventually("it runs") { (try? await server.status().state) == .running }
                #expect(try await server.exec("echo", "here").stdout == "here\n")
                try await server.awaitLog("request 2 ")
            }
        }

        /// What is written before, while and after containerd is away is neither lost nor told twice, a sleep and a wake
        /// between.
        @Test(arguments: Containerd.usual) func logOutlivesContainerd(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("away") { pod in
                let server = try await pod.start("server", image: "python", environment: ["TICK": "5"])
                try await server.awaitSleep()
                try await node.stopContainerd()
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                try await node.startContainerd()
                try await server.awaitLog("request 1 ")
                let ticks = try server.log().filter { $0.stream == "stdout" && $0.text.hasPrefix("tick") }.map(\.text)
                #expect(!ticks.isEmpty)
                #expect(ticks == ticks.indices.map { "tick \($0 + 1)" })
            }
        }

        /// With whatever is kept ready for the wake.
        @Test(arguments: ["checkpoint", "restore", "sleep"], ["on-demand", "standby", "prestarted"])
        func lostShimLeavesNothing(_ moment: String, _ wake: String) async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                let pod = try await node.runPod(
                    "lost", runtime: .zeropod, annotations: sleepy(["wake": wake]))
                try await node.lettingCRIUGo {
                    if moment == "checkpoint" { try await node.holdCRIU() }
                    let server = try await pod.start("server", image: "python")
                    if moment == "checkpoint" {
                        try await server.awaitCheckpointBegin()
                    } else {
                        try await server.awaitSleep()
                    }
                    if moment == "restore" {
                        // One that was started ahead is past the hold.
                        if wake == "prestarted" {
                            try await eventually("criu stands ready") { try await node.signalCRIU("STOP") }
                        } else {
                            try await node.holdCRIU()
                        }
                        Task { _ = try? await node.get(pod.ip4, port: 8080, from: .outside) }
                        try await eventually("a request is held") { try await pod.waiting() == 1 }
                    }
                    try await node.run("kill", "-KILL", "\(pod.shimProcess())")
                    // As the kubelet sees it: an end, whose status containerd makes up if it was not told one.
                    #expect([137, 255].contains(try await server.awaitExit().exitCode))
                    if moment == "restore", wake == "prestarted" { try await node.signalCRIU("CONT") }
                }
                try await pod.delete()
                let left = try await node.lastingLeftovers()
                #expect(left == [])
                #expect(
                    try await node.shell("pgrep -f 'criu(.real)? swrk|zeropod-stand-in'", expecting: nil).text.isEmpty)
            }
        }
    }
}

extension TestNode {
    /// Signals the criu that waits for its call, if there is one.
    @discardableResult
    fileprivate func signalCRIU(_ signal: String) async throws -> Bool {
        try await shell("pkill -\(signal) -f '^[^ ]*(sh .*)?criu(.real)? swrk'", expecting: nil).status == 0
    }
}
