import Linux
import Protobuf

/// The answer that a call waits for. It may be given later, from the loop's thread, and once: what comes after the first
/// answer is dropped. A reply that is let go of without an answer answers `Internal`, so that no peer hangs.
package final class Reply {
    private weak var connection: ServerConnection?
    private let stream: UInt32
    private var isAnswered = false

    init(_ connection: ServerConnection, stream: UInt32) {
        self.connection = connection
        self.stream = stream
    }

    deinit {
        fail(.internal, "the call was given up without an answer")
    }

    /// Answers with an encoded message.
    package func succeed(_ payload: [UInt8]) {
        answer(ResponseEnvelope { $0.payload = payload })
    }

    package func succeed<Response: Message>(_ response: Response) {
        succeed(response.encoded())
    }

    package func fail(_ status: Status) {
        answer(ResponseEnvelope { $0.status = StatusMessage(status) })
    }

    package func fail(_ code: Status.Code, _ message: String) {
        fail(Status(code, message))
    }

    /// Calls `body` when the peer has gone before there was an answer.
    package func whenAbandoned(_ body: @escaping () -> Void) {
        if isAnswered { return }
        connection?.whenClosed(stream, body)
    }

    private func answer(_ envelope: ResponseEnvelope) {
        if isAnswered { return }
        isAnswered = true
        connection?.respond(to: stream, envelope)
        connection = nil
    }
}
