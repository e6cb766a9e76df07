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
}
