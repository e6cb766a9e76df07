import DataPath
import Glibc
import Linux
import Testing

/// An application on port 80 of a pod that goes and comes back as with CRIU: its sockets are closed without a word, and
/// made again with SO_REUSEPORT while they are bound, whatever they had before. It greets each connection.
final class Sleeper {
    let loop: EventLoop
    let pod: TestPod
    private let address: SocketAddress
    private let ipv6Only: Bool
    private let backlog: Int32
    private let members: Int
    private(set) var servers: [TestServer] = []
    var server: TestServer? { servers.first }
    private(set) var queues: AcceptQueues?
    /// How often a waiting connection was told of.
    private(set) var calls = 0

    init(
        address: String = "::", ipv6Only: Bool = false, members: Int = 1, owner: uid_t = 0, backlog: Int32 = 128
    ) throws {
        loop = try EventLoop()
        pod = try TestPod(1)
        self.address = try #require(SocketAddress(address, port: 80))
        self.ipv6Only = ipv6Only
        self.backlog = backlog
        self.members = members
        for _ in 0..<members { servers.append(try listen(reusePort: members > 1, owner: owner)) }
    }

    private func listen(reusePort: Bool, owner: uid_t = 0) throws -> TestServer {
        try TestServer(
            loop, in: pod, address, reusePort: reusePort, ipv6Only: ipv6Only, owner: owner, backlog: backlog
        ) { $0.send("hello") }
    }

    func keepQueues() throws -> AcceptQueues {
        let queues = try AcceptQueues(of: [getpid()], ports: [80], in: pod.network, loop: loop)
        try queues.watch { [unowned self] in calls += 1 }
        return queues
    }

    func fallAsleep() throws {
        for server in servers {
            server.stopAccepting()
            // As the sockets of most applications are; the flag is shared with all copies.
            try server.listener.setNonBlocking(false)
        }
        let queues = try keepQueues()
        servers = []
        #expect(queues.makeRoom().isEmpty)
        self.queues = queues
    }

    func wake() throws -> [ListeningSocket.Key] {
        for _ in 0..<members {
            let server = try listen(reusePort: true)
            try TCPSocket.set(.reusePort, members > 1, of: server.listener)
            servers.append(server)
        }
        defer { queues = nil }
        return try queues?.handOver() ?? []
    }

    func connect(to address: String = "10.99.1.2") throws -> TestPeer {
        try TestPeer.connect(loop, to: try #require(SocketAddress(address, port: 80)))
    }

    /// As ss shows them: with their queues.
    func listeners() throws -> String { try sh("ip netns exec \(pod.name) ss -Hltne sport = 80") }
}
