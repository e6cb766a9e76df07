import DataPath
import Linux
import Testing

/// A pod with its redirector, an activator in slot 0, and port 80 declared.
final class RedirectedPod {
    let loop: EventLoop
    let pod: TestPod
    let name: String
    let redirector: Redirector
    let activator: Activator
    let clients: ClientAddresses
    private let log: Log
    var messages: [String] { log.messages }

    private final class Log {
        var messages: [String] = []
    }

    init(_ loop: EventLoop, _ number: Int = 1, hook: TrafficHook? = nil) throws {
        self.loop = loop
        pod = try TestPod(number)
        name = "number\(number)"
        _ = try DataPathLoader.attach(pod: name, networkNamespace: pod.network, hook: hook)
        redirector = try Redirector(pod: name)
        let log = Log()
        self.log = log
        clients = ClientAddresses { log.messages.append($0) }
        activator = try Activator(loop: loop, networkNamespace: pod.network, clients: clients) {
            log.messages.append($0)
        }
        try redirector.register(activator, slot: 0)
        try redirector.declare(ports: [80], slot: 0)
    }

    /// The application: greets each connection on port 80.
    func serve(_ greeting: String) throws -> TestServer {
        try TestServer(loop, in: pod, SocketAddress(ipv6: 0, port: 80)) { $0.send(greeting) }
    }

    func redirect(_ on: Bool = true) throws { try redirector.setRedirect(on, ports: [80]) }

    /// A client from outside the pod.
    func connect() throws -> TestPeer {
        try TestPeer.connect(loop, to: try #require(SocketAddress(pod.ipv4, port: 80)))
    }

    func connect(_ count: Int) throws -> [TestPeer] { try (0..<count).map { _ in try connect() } }
}

extension Redirector {
    /// nil if there was no packet of these ports, and no connection.
    func lastActivity(of ports: [UInt16]) -> Instant? { try? activityReader(ports: ports).now.last }
}
