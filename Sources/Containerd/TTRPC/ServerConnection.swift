import Linux
import Protobuf

/// The server's end of one connection: keeps the rules of streams and hands calls out.
final class ServerConnection {
    /// More than containerd ever has under way (one Wait a process), and little memory.
    static let mostCallsUnderWay = 16 << 10
    /// So many a peer may always have, whatever the others do.
    static let callsForEachPeer = 128

    private var connection: Connection?
    private let handler: (_ service: String, _ method: String) -> Result<Handler, Status>
    private let isCrowded: () -> Bool
    private var underWay: Set<UInt32> = []
    /// Of calls under way, what is to be done if the connection ends first.
    private var abandonments: [UInt32: () -> Void] = [:]
    private var lastStream: UInt32 = 0

    /// - Parameters:
    ///   - isCrowded: whether all peers together have as many calls under way as there may be.
    ///   - holdsMore: called when memory is held for this connection.
    init(
        loop: EventLoop, socket: consuming Descriptor,
        handler: @escaping (_ service: String, _ method: String) -> Result<Handler, Status>,
        isCrowded: @escaping () -> Bool, holdsMore: @escaping () -> Void, ended: @escaping (String) -> Void
    ) throws(SystemError) {
        self.handler = handler
        self.isCrowded = isCrowded
        connection = try Connection(
            loop: loop, socket: socket, received: { [unowned self] in received($0) }, holdsMore: holdsMore,
            ended: ended)
    }

    func close() {
        connection?.close()
        connection = nil
        underWay = []
        let bodies = abandonments.values
        abandonments = [:]
        for body in bodies { body() }
    }

    func whenClosed(_ stream: UInt32, _ body: @escaping () -> Void) {
        if connection == nil { return body() }
        if underWay.contains(stream) { abandonments[stream] = body }
    }

    /// Ends the connection, and tells so.
    func end(_ reason: String) {
        connection?.end(reason)
    }

    var heldMemory: Int { connection?.heldMemory ?? 0 }
    var callsUnderWay: Int { underWay.count }
    var hasCalled: Bool { lastStream > 0 }

    private func received(_ event: FrameDecoder.Event) {
        switch event {
        case .frame(let frame) where frame.kind == .request:
            request(frame)
        case .frame(let frame) where frame.kind == .data:
            data(frame)
        case .frame:
            // Of a later version of the protocol.
            break
        case .oversized(let stream, let length):
            refuse(stream, .resourceExhausted, "message of \(length) bytes, \(Frame.longest) are allowed")
        case .garbage(let length):
            connection?.end("this is not ttrpc: a frame of \(length) bytes")
        }
    }

    private func request(_ frame: Frame) {
        let stream = frame.stream
        guard stream % 2 == 1 else {
            return refuse(stream, .invalidArgument, "stream \(stream): those of a client are odd")
        }
        guard stream > lastStream else {
            return refuse(stream, .invalidArgument, "stream \(stream) after \(lastStream): they must rise")
        }
        lastStream = stream
        let request: RequestEnvelope
        do throws(ProtobufError) {
            request = try RequestEnvelope(decoding: frame.payload)
        } catch {
            return refuse(stream, .invalidArgument, error.description)
        }
        guard
            underWay.count < Self.callsForEachPeer || (underWay.count < Self.mostCallsUnderWay && !isCrowded())
        else {
            return refuse(stream, .resourceExhausted, "\(underWay.count) calls are under way on this connection")
        }
        switch handler(request.service, request.method) {
        case .failure(let status):
            refuse(stream, status.code, status.message)
        case .success(let handle):
            underWay.insert(stream)
            handle(Call(request), Reply(self, stream: stream))
        }
    }

    /// No method here takes a stream of messages. A client that says it has sent everything is right.
    private func data(_ frame: Frame) {
        if !underWay.contains(frame.stream) {
            refuse(frame.stream, .invalidArgument, "stream \(frame.stream) is not active")
        } else if !frame.payload.isEmpty {
            underWay.remove(frame.stream)
            abandonments.removeValue(forKey: frame.stream)?()
            refuse(frame.stream, .invalidArgument, "stream \(frame.stream) takes one message")
        }
    }

    func respond(to stream: UInt32, _ envelope: ResponseEnvelope) {
        guard underWay.remove(stream) != nil else { return }
        abandonments[stream] = nil
        send(stream, envelope)
    }

    private func refuse(_ stream: UInt32, _ code: Status.Code, _ message: String) {
        send(stream, ResponseEnvelope { $0.status = StatusMessage(Status(code, message)) })
    }

    private func send(_ stream: UInt32, _ envelope: ResponseEnvelope) {
        let payload = envelope.encoded()
        guard payload.count <= Frame.longest else {
            return refuse(
                stream, .resourceExhausted, "answer of \(payload.count) bytes, \(Frame.longest) are allowed")
        }
        connection?.send(Frame(stream: stream, kind: .response, payload: payload))
    }
}

extension Call {
    fileprivate init(_ request: RequestEnvelope) {
        let limit = request.timeoutNanoseconds
        self.init(
            service: request.service, method: request.method, payload: request.payload,
            timeout: limit > 0 ? Instant.Span(nanoseconds: UInt64(limit)) : nil,
            metadata: request.metadata.map { ($0.key, $0.value) })
    }
}
