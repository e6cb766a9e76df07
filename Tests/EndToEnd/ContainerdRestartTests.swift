import Commands
import TestNode
import Testing

/// containerd goes and comes back, as in an upgrade; pods do not notice. On nodes of their own: nothing else can be
/// asked of a node meanwhile.
@Suite(.nodes("restart"), .serialized) struct ContainerdRestartTests {
    @Test(arguments: Setup.all) func podsOutliveContainerd(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("web", runtime: setup.runtime) { pod in
            let server = try await pod.start("server", image: "python")
            try await server.awaitLog("listening")
            let pid = try await server.pid()
            try await node.stopContainerd()
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            try await node.startContainerd()
            #expect(try await server.status().state == .running)
            #expect(try await server.pid() == pid)
            #expect(try await server.exec("echo", "here").stdout == "here\n")
            try await server.awaitLog("request 1 ")
        }
    }

    /// A container that sleeps meanwhile, with no process that containerd could see, is not taken for dead.
    @Test(.enabled(if: Runtime.shim != nil, "needs ZEROPOD_SHIM_DIRECTORY"), arguments: Containerd.usual)
    func sleepOutlivesContainerd(_ containerd: Containerd) async throws {
        let node = try await node(containerd)
        try await node.withSleepyPod("sleeper") { pod in
            let server = try await pod.start("server", image: "python")
            try await server.awaitSleep()
            let pid = try await server.pid()
            try await node.stopContainerd()
            try await node.startContainerd()
            #expect(try await server.status().state == .running)
            #expect(try await server.pid() == pid)
            try await server.expectWakes(0)
            // Woken, put to sleep and woken again, once while containerd is away.
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            try await server.awaitSleep(2)
            try await node.stopContainerd()
            #expect(try await node.get(pod.ip6, port: 8080).json(ServerState.self).counter == 2)
            try await node.startContainerd()
            try await server.awaitLog("request 2 ")
            #expect(try await server.exec("echo", "here").stdout == "here\n")
        }
    }

    /// After a restart containerd calls the shim's program to clean up after each container that it deletes, though the
    /// shim lives on. Its neighbours in the pod must not feel it.
    @Test(.enabled(if: Runtime.shim != nil, "needs ZEROPOD_SHIM_DIRECTORY"), arguments: Containerd.usual)
    func neighbourOfADeletedContainerStillWakes(_ containerd: Containerd) async throws {
        let node = try await node(containerd)
        try await node.withSleepyPod("neighbours") { pod in
            let web = try await pod.start("web", image: "python")
            let redis = try await pod.start("redis", image: "redis")
            try await web.awaitSleep()
            try await node.stopContainerd()
            try await node.startContainerd()
            try await redis.stop()
            try await redis.remove()
            try await web.expectWakes(0)
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            try await web.awaitSleep(2)
            #expect(try await node.get(pod.ip6, port: 8080).json(ServerState.self).counter == 2)
        }
    }
}
