import Glibc
import Linux
import Testing

@testable import TTRPC

/// A server on a socket of its own, and what is needed to call it, on one loop.
final class Bench {
    let loop: EventLoop
    let server: Server
    let path: String
    private(set) var log: [String] = []
    var whenLogging: () -> Void = {}

    init(mostConnections: Int = Server.mostConnections) throws {
        // As in the shim: a peer that is gone is an error of write(2).
        signal(SIGPIPE, SIG_IGN)
        loop = try EventLoop()
        path = "/tmp/ttrpc-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        weak var bench: Bench?
        server = Server(loop: loop, mostConnections: mostConnections) { line in
            bench?.log.append(line)
            bench?.whenLogging()
        }
        bench = self
        try server.listen(on: UnixSocket.listen(path))
    }

    deinit {
        unlink(path)
    }

    func client() throws -> Client { try Client(loop: loop, address: path) }

    /// Runs the loop until `stop`. The limit only turns a hang into a failure.
    func run() throws {
        // Here too: a test whose closures hold the bench leaves it behind.
        defer { unlink(path) }
        let limit = loop.after(.seconds(60)) {
            Issue.record("still waiting after a minute; the server's log: \(self.log)")
            self.loop.stop()
        }
        try loop.run()
        loop.cancel(limit)
    }

    func stop() { loop.stop() }

    /// Has `Test/Echo` answer with the request's bytes.
    func serveEcho() {
        server.register(service: "Test", method: "Echo") { call, reply in reply.succeed(call.payload) }
    }
}

/// A peer that sends whatever bytes it likes, and reads only when it is told to.
final class RawPeer {
    private let loop: EventLoop
    private let socket: Descriptor
    private var decoder = FrameDecoder()
    /// Answers in the order they came.
    private(set) var answers: [(stream: UInt32, code: Status.Code, payload: [UInt8])] = []

    init(_ bench: Bench) throws {
        loop = bench.loop
        socket = try UnixSocket.connect(bench.path, nonBlocking: true)
    }

    deinit {
        loop.unwatch(socket.rawValue)
    }

    /// Sends everything, waiting for room where there is none, and then calls `then`.
    /// - Parameter mayBreak: the server may close the connection meanwhile; that is an end too.
    func send(_ bytes: [UInt8], mayBreak: Bool = false, then: @escaping () -> Void = {}) throws {
        var rest = bytes[...]
        func push() throws -> Bool {
            do {
                while !rest.isEmpty {
                    guard let count = try socket.write(rest) else { return false }
                    rest = rest.dropFirst(count)
                }
            } catch {
                if !mayBreak { throw error }
            }
            return true
        }
        if try push() { return loop.soon(then) }
        // One direction at a time: a peer that also reads would be watched twice.
        try loop.watch(socket, .writable) { [self] _ in
            do {
                if try !push() { return }
            } catch {
                Issue.record("\(error)")
            }
            loop.unwatch(socket.rawValue)
            loop.soon(then)
        }
    }

    /// Sends one message after the other until the socket takes no more. A small message is taken whole or not at all.
    func sendUntilFull(_ next: () -> [UInt8]) throws {
        while try socket.write(next()) != nil {}
    }

    func closeSendingHalf() {
        shutdown(socket.rawValue, Int32(SHUT_WR))
    }

    /// Reads `count` answers in all and then calls `then`.
    func receive(_ count: Int, then: @escaping () -> Void) throws {
        if answers.count >= count { return loop.soon(then) }
        try watchAnswers { [self] ended in
            if ended { Issue.record("the server closed the connection after \(answers.count) answers") }
            if answers.count < count && !ended { return }
            loop.unwatch(socket.rawValue)
            loop.soon(then)
        }
    }

    /// Reads until the server closes and then calls `then`.
    func receiveEnd(then: @escaping () -> Void) throws {
        try watchAnswers { [self] ended in
            if !ended { return }
            loop.unwatch(socket.rawValue)
            loop.soon(then)
        }
    }

    private func watchAnswers(_ changed: @escaping (_ ended: Bool) -> Void) throws {
        try loop.watch(socket, .readable) { [self] _ in
            // A reset is an end too: the server closed with bytes of ours unread.
            let bytes = (try? socket.read(atMost: 64 << 10)) ?? []
            for event in decoder.decode(bytes) {
                guard case .frame(let frame) = event, frame.kind == .response,
                    let response = try? ResponseEnvelope(decoding: frame.payload)
                else {
                    Issue.record("not an answer: \(event)")
                    continue
                }
                answers.append((frame.stream, response.status?.status.code ?? .ok, response.payload))
            }
            changed(bytes.isEmpty)
        }
    }
}

/// The bytes of a request.
func request(_ stream: UInt32, _ service: String = "Test", _ method: String = "Echo", _ payload: [UInt8] = [])
    -> [UInt8]
{
    let envelope = RequestEnvelope {
        $0.service = service
        $0.method = method
        $0.payload = payload
    }
    return Frame(stream: stream, kind: .request, payload: envelope.encoded()).encoded
}
