import Checkpoint
import DataPath
import Glibc
import Linux
import Testing

@testable import Shim

/// A packet that another processor had let pass, and queued only after it was looked whether one had come.
@Suite struct LatePacketTests {
    @Test(arguments: ["data", "end", "nothing"]) func nobodySleepsOnIt(_ what: String) throws {
        try inScratch {
            let loop = try EventLoop()
            _ = try DataPathLoader.attach(pod: "one", networkNamespace: try Namespace.own(.network))
            let server = try TestServer(loop, SocketAddress(ipv4: INADDR_LOOPBACK, port: 80)) { $0.reads = false }
            let client = try TestPeer.connect(loop, to: SocketAddress(ipv4: INADDR_LOOPBACK, port: 80))
            try loop.wait { client.isConnected && server.accepted.count == 1 }
            let keeper: any ConnectionKeeper = try OpenConnections(
                try Redirector(pod: "one").connections, slot: 3, in: try Namespace.own(.network), passivePorts: [],
                of: { [getpid()] })
            #expect(keeper.processesStopped())

            // Another's hand on the map, as nobody can be made to be slow.
            let others = try Redirector(pod: "one").connections
            try others.hold(try TCPConnection.all(), slot: 4)
            try others.letGo(slot: 4)
            switch what {
            case "data":
                client.send("late")
                try loop.wait(looking: true) { ((try? TCPConnection.all()) ?? []).contains { $0.unread > 0 } }
            case "end":
                client.finish()
                try loop.wait(looking: true) { ((try? TCPConnection.all()) ?? []).contains(where: \.peerHasEnded) }
            default: break
            }
            #expect(keeper.processesLeave([:]) == (what == "nothing"))
        }
    }
}
