import Glibc
import Linux

/// Asks an application what a probe asked it, and keeps what it answers. Needs nothing but the sockets it is given and
/// its loop.
package final class Inquiry {
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

    /// Asks on a connection of its own, made from the network namespace of the calling thread.
    ///
    /// - Parameter then: Called once, not before this returns, with nil if there was no answer in time.
    package static func make(
        _ request: CapturedRequest, _ question: Question, _ loop: EventLoop, within span: Instant.Span,
        then: @escaping ([UInt8]?) -> Void
    ) {
        do throws(SystemError) {
            let socket = OpenSocket(try TCPSocket.make(request.destination.family))
            try TCPSocket.connect(socket.descriptor, to: request.destination)
            let bytes =
                switch question.kind {
                case .http: request.bytes
                case .healthCheck(let check): check.request(authority: "\(request.destination)")
                }
            var isHealthCheck = false
            if case .healthCheck = question.kind { isHealthCheck = true }
            _ = Inquiry(loop, socket, bytes, isHealthCheck: isHealthCheck, within: span, then: then)
        } catch {
            loop.soon { then(nil) }
        }
    }

    /// - Parameters:
    ///   - socket: On its way to the application.
    ///   - then: Called once, with nil if there was no answer in time.
    private init(
        _ loop: EventLoop, _ socket: OpenSocket, _ request: [UInt8], isHealthCheck: Bool, within: Instant.Span,
        then: @escaping ([UInt8]?) -> Void
    ) {
        self.loop = loop
        self.socket = socket
        unsent = request[...]
        answer = isHealthCheck ? .healthCheck(HealthCheckAnswer()) : .http(HTTPAnswer())
        self.then = then
        timer = loop.after(within) { self.end(nil) }
        do {
            // Held by the loop, until `end`.
            try loop.watch(socket.descriptor, .writable) { _ in self.ready() }
        } catch {
            end(nil)
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
            while let bytes = try socket.descriptor.read(atMost: 4096) {
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
