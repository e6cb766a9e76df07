import CRI
import Commands
import TestNode
import Testing

/// The harness itself, tried with the stock runtime: what fails here is not the shim's fault.
@Suite struct StockRuncTests {
    @Test func podLivesAndDies() async throws {
        let node = try await TestNode.up("stock")
        let pod = try await Pod.run("web", on: node, runtime: "runc")
        let container = try await pod.start("server", image: "python", environment: ["GREETING": "hello"])
        try await container.awaitLog("listening")
        for address in [pod.ip4, pod.ip6] {
            for origin in [Origin.node, .outside, .pod(pod)] {
                let state = try await node.get(address, port: 8080, from: origin).json(ServerState.self)
                _ = state
            }
        }
        print(try await container.exec("uname", "-a"))
        print(try await container.stats(), try await container.pid())
        try await pod.delete()
        #expect(try await node.leftovers() == [])
        print(await node.diagnosis())
        try await node.down()
        #expect(try await node.leftovers() == [])
    }
}
