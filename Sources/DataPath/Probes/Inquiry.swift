import Glibc
import Linux

/// Asks an application what a probe asked it, and keeps what it answers. Lives on the network thread, and so needs nothing
/// but the socket it is given and its loop.
final class Inquiry {
    private enum Answer {
        case http(HTTPAnswer)
        case healthCheck(HealthCheckAnswer)
    }

    private let loop: EventLoop
    private let socket: OpenSocket
    private var unsent: ArraySlice<UInt8>
    private var answer: Answer
    private var then: (([UInt8]?) -> Void)?
    private var timer: Timer?

    /// - Parameters:
    ///   - socket: On its way to the application.
    ///   - then: Called once, not before this returns, with nil if there was no answer in time.
    static func make(
        _ request: CapturedRequest, _ question: Question, over socket: OpenSocket, _ loop: EventLoop,
        within span: Instant.Span, then: @escaping ([UInt8]?) -> Void
    ) {
        switch question.kind {
        case .http:
            _ = Inquiry(loop, socket, request.bytes, .http(HTTPAnswer()), within: span, then: then)
        case .healthCheck(let check):
            let bytes = check.request(authority: "\(request.destination)")
            _ = Inquiry(loop, socket, bytes, .healthCheck(HealthCheckAnswer()), within: span, then: then)
        }
    }

    private init(
        _ loop: EventLoop, _ socket: OpenSocket, _ request: [UInt8], _ answer: Answer, within: Instant.Span,
        then: @escaping ([UInt8]?) -> Void
    ) {
        self.loop = loop
        self.socket = socket
        unsent = request[...]
        self.answer = answer
        self.then = then
        timer = loop.after(within) { self.end(nil) }
        do {
            // Held by the loop, until `end`.
            try loop.watch(socket.descriptor, .writable) { _ in self.ready() }
        } catch {
            loop.soon { self.end(nil) }
        }
    }

    private func ready() {
        do throws(SystemError) {
            let code = TCPSocket.takeError(socket.descriptor)
            if code != 0 { throw SystemError("connect", code: code) }
            if !unsent.isEmpty {
                unsent = unsent.dropFirst(try TCPSocket.send(unsent, to: socket.descriptor) ?? 0)
                if unsent.isEmpty { try loop.rewatch(socket.number, .readable) }
                return
            }
            while let bytes = try TCPSocket.receive(atMost: 4096, from: socket.descriptor) {
                if take(bytes) { return end(result(ended: bytes.isEmpty)) }
            }
        } catch {
            end(nil)
        }
    }

    /// - Returns: whether it is complete. No bytes mean the end of the connection.
    private func take(_ bytes: [UInt8]) -> Bool {
        switch answer {
        case .http(var http):
            let isComplete = http.take(bytes)
            answer = .http(http)
            return isComplete || bytes.isEmpty
        case .healthCheck(var check):
            check.take(bytes)
            if check.owesAcknowledgement {
                let frame = HTTP2Frame.encode(kind: HTTP2Frame.Kind.settings, flags: HTTP2Frame.acknowledged)
                _ = try? TCPSocket.send(frame[...], to: socket.descriptor)
                check.acknowledged()
            }
            answer = .healthCheck(check)
            return check.isComplete || check.isUseless || bytes.isEmpty
        }
    }

    private func result(ended: Bool) -> [UInt8]? {
        switch answer {
        case .http(let http): http.result(ended: ended)
        case .healthCheck(let check): check.result
        }
    }

    private func end(_ result: [UInt8]?) {
        guard let then else { return }
        self.then = nil
        if let timer { loop.cancel(timer) }
        loop.unwatch(socket.number)
        // The timer may keep this object for a while. What comes at the end of a connection would wake the container.
        TCPSocket.endBoth(socket.descriptor)
        then(result)
    }
}
