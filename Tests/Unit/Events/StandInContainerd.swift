import ContainerdAPI
import Glibc
import Linux
import Protobuf
import TTRPC
import Testing

@testable import Events

/// A stand-in for containerd: our own server with containerd's events service, that can go away and come back.
final class StandInContainerd {
    let loop: EventLoop
    let path: String
    private(set) var received: [EventEnvelope] = []
    private(set) var namespaces: [String?] = []
    private(set) var log: [String] = []
    private(set) var publisherLog: [String] = []
    /// What happens to the next event; by default it is taken.
    var answer: (EventEnvelope, Reply) -> Void = { _, reply in reply.succeed(Empty()) }
    private var server: Server?

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        loop = try EventLoop()
        path = "/tmp/events-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    }

    deinit {
        unlink(path)
    }

    func start() throws {
        let server = Server(loop: loop) { [unowned self] in log.append($0) }
        server.register(service: ServiceName.events, method: "Forward") { [unowned self] call, reply in
            guard let request = try? ForwardRequest(decoding: call.payload), let envelope = request.envelope else {
                return reply.fail(.invalidArgument, "not an event")
            }
            received.append(envelope)
            namespaces.append(call.metadata(MetadataKey.namespace))
            answer(envelope, reply)
        }
        try server.listen(on: UnixSocket.listen(path))
        self.server = server
    }

    func stop() {
        server?.stopListening()
        server?.closeConnections()
        server = nil
        unlink(path)
    }

    func publisher(timeout: Instant.Span = .seconds(5)) -> EventPublisher {
        EventPublisher(loop: loop, address: path, namespace: "k8s.io", timeout: timeout) { [unowned self] in
            publisherLog.append($0)
        }
    }

    /// Runs the loop until it is stopped. The limit only turns a hang into a failure.
    func run() throws {
        // A test whose closures hold this would leave it behind.
        defer {
            stop()
            answer = { _, _ in }
        }
        loop.after(.seconds(60)) { [unowned self] in
            Issue.record("still waiting after a minute; the publisher's log: \(publisherLog)")
            loop.stop()
        }
        try loop.run()
    }

    /// The pids of the received TaskStart events, by which the tests tell events apart.
    var pids: [UInt32] {
        received.map { envelope in
            guard let event = try? envelope.event?.unpack(as: TaskStart.self) else { return 0 }
            return event.pid
        }
    }
}

func start(_ pid: UInt32) -> TaskStart {
    TaskStart {
        $0.containerID = "c"
        $0.pid = pid
    }
}
