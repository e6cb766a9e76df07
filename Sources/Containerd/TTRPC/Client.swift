import Linux
import Protobuf

/// Makes calls over one connection. When the connection has ended the client is of no more use: make a new one.
package final class Client {
    package typealias Completion<Response> = (Result<Response, Status>) -> Void

    private struct Pending {
        let timer: Timer?
        let completion: Completion<[UInt8]>
    }

    private let loop: EventLoop
    private var connection: Connection?
    private let closed: () -> Void
    private var pending: [UInt32: Pending] = [:]
    private var nextStream: UInt32 = 1

    /// Connects. A listener whose queue is full is an error rather than a wait.
    /// - Parameters:
    ///   - address: a path, with or without `unix://`.
    ///   - closed: called when the connection has ended, after the calls under way have failed with `unavailable`; not
    ///     called after `close`.
    package init(loop: EventLoop, address: String, closed: @escaping () -> Void = {}) throws(SystemError) {
        self.loop = loop
        self.closed = closed
        let socket = try UnixSocket.connect(UnixSocket.path(ofAddress: address), nonBlocking: true)
        connection = try Connection(
            loop: loop, socket: socket,
            received: { [unowned self] in received($0) },
            ended: { [unowned self] in ended($0) })
    }

    deinit {
        close()
    }

    package var isOpen: Bool { connection != nil }

    /// Closes the connection. Calls under way fail with `cancelled`.
    package func close() {
        connection?.close()
        connection = nil
        failAll(Status(.cancelled, "the connection was closed"))
    }

    /// Makes a call.
    /// - Parameter completion: called once, later, on the loop's thread.
    package func call<Request: Message, Response: Message>(
        _ service: String, _ method: String, _ request: Request, metadata: KeyValuePairs<String, String> = [:],
        timeout: Instant.Span? = nil, completion: @escaping Completion<Response>
    ) {
        call(service, method, payload: request.encoded(), metadata: metadata, timeout: timeout) { result in
            completion(
                result.flatMap { payload in
                    do throws(ProtobufError) {
                        return .success(try Response(decoding: payload))
                    } catch {
                        return .failure(Status(.internal, "answer of \(service)/\(method): \(error)"))
                    }
                })
        }
    }

    /// The same with messages that are encoded already.
    package func call(
        _ service: String, _ method: String, payload: [UInt8], metadata: KeyValuePairs<String, String> = [:],
        timeout: Instant.Span? = nil, completion: @escaping Completion<[UInt8]>
    ) {
        guard let connection else {
            return loop.soon { completion(.failure(Status(.unavailable, "the connection has ended"))) }
        }
        let request = RequestEnvelope { request in
            request.service = service
            request.method = method
            request.payload = payload
            request.timeoutNanoseconds = Int64(clamping: timeout?.nanoseconds ?? 0)
            request.metadata = metadata.map { pair in
                KeyValue {
                    $0.key = pair.key
                    $0.value = pair.value
                }
            }
        }
        let encoded = request.encoded()
        guard encoded.count <= Frame.longest else {
            let status = Status(
                .resourceExhausted, "request of \(encoded.count) bytes, \(Frame.longest) are allowed")
            return loop.soon { completion(.failure(status)) }
        }
        let stream = nextStream
        // 2^31 calls: the ids are used up. The peer would refuse a second round.
        let (next, overflow) = nextStream.addingReportingOverflow(2)
        if overflow {
            self.connection = nil
            connection.close()
            failAll(Status(.unavailable, "the connection's stream ids are used up"))
            return loop.soon { completion(.failure(Status(.unavailable, "the connection's stream ids are used up"))) }
        }
        nextStream = next
        let timer = timeout.map { limit in
            loop.after(limit) { [unowned self] in
                finish(stream, .failure(Status(.deadlineExceeded, "\(service)/\(method): no answer in time")))
            }
        }
        pending[stream] = Pending(timer: timer, completion: completion)
        connection.send(Frame(stream: stream, kind: .request, payload: encoded))
    }

    // MARK: Answers

    private func received(_ event: FrameDecoder.Event) {
        switch event {
        case .frame(let frame) where frame.kind == .response:
            do throws(ProtobufError) {
                let response = try ResponseEnvelope(decoding: frame.payload)
                if let status = response.status, status.code != 0 {
                    finish(frame.stream, .failure(status.status))
                } else {
                    finish(frame.stream, .success(response.payload))
                }
            } catch {
                finish(frame.stream, .failure(Status(.internal, "\(error)")))
            }
        case .frame:
            break
        case .oversized(let stream, let length):
            finish(stream, .failure(Status(.resourceExhausted, "the answer has \(length) bytes")))
        case .garbage(let length):
            connection?.end("this is not ttrpc: a frame of \(length) bytes")
        }
    }

    /// Does nothing for a call that has failed already, with its answer on the way.
    private func finish(_ stream: UInt32, _ result: Result<[UInt8], Status>) {
        guard let call = pending.removeValue(forKey: stream) else { return }
        if let timer = call.timer { loop.cancel(timer) }
        call.completion(result)
    }

    private func failAll(_ status: Status) {
        for stream in pending.keys.sorted() { finish(stream, .failure(status)) }
    }

    private func ended(_ reason: String) {
        connection = nil
        failAll(Status(.unavailable, reason.isEmpty ? "the peer closed the connection" : reason))
        closed()
    }
}
