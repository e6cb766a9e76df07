/// What becomes of a connection that may be a probe, as a value: bytes in, a decision out.
///
/// Bytes are looked at, not taken, until it is clear that the connection is answered here: what is not a probe goes to
/// the application whole.
package struct Visitor: Sendable {
    package enum Decision: Equatable, Sendable {
        /// Wait for more.
        case wait
        /// Say this first, then wait for more: a client of HTTP/2 may not ask before.
        case greet([UInt8])
        /// Say this, and end the connection.
        case answer([UInt8])
        /// Not for here: wake the application and pass the connection on.
        case pass(reason: String)
        /// As `pass`, but after a greeting it cannot be passed on. The client is told to come again.
        case sendAway([UInt8], reason: String)
    }

    private let asker: UInt128
    private let port: UInt16
    let isPassive: Bool
    private let limit: Int
    private let answers: Answers
    private var hasGreeted = false

    /// - Parameters:
    ///   - asker: The address that it comes from.
    ///   - isPassive: Nothing that comes to the port wakes, and nothing is answered but that it sleeps.
    ///   - limit: How many bytes may be looked at.
    package init(asker: UInt128, port: UInt16, isPassive: Bool, limit: Int, answers: Answers) {
        self.asker = asker
        self.port = port
        self.isPassive = isPassive
        self.limit = limit
        self.answers = answers
    }

    /// - Parameter bytes: Everything that has come so far.
    package mutating func look(at bytes: [UInt8]) -> Decision {
        if isPassive { return lookPassively(at: bytes) }
        let decision = bytes.isEmpty ? .wait : judge(bytes)
        if case .wait = decision, bytes.count >= limit { return pass("its request is longer than \(limit) bytes") }
        return decision
    }

    /// No more bytes came for a while.
    package func timedOut(after bytes: [UInt8]) -> Decision {
        if isPassive { return .answer(bytes.isEmpty ? [] : Self.asleep) }
        return pass(bytes.isEmpty ? "it said nothing and stays" : "its request is not complete")
    }

    private mutating func judge(_ bytes: [UInt8]) -> Decision {
        switch HTTPHead.read(bytes) {
        case .incomplete: return .wait
        case .whole(let head):
            guard head.isKubelets else { return pass("it is no probe") }
            return answers[Question(asker, port: port, .http(head.key))].map { .answer($0) }
                ?? pass(Self.unknown)
        case .unlike: break
        }
        switch HealthCheck.read(bytes) {
        case .unlike: return pass(bytes.starts(with: Self.handshake) ? Self.encrypted : "it is no probe")
        case .incomplete:
            if !answers.haveHealthChecks(of: port, by: asker) { return pass(Self.unknown) }
            guard bytes.count >= HTTP2Frame.preface.count, !hasGreeted else { return .wait }
            hasGreeted = true
            return .greet(HTTP2Frame.encode(kind: HTTP2Frame.Kind.settings))
        case .whole(let check, let stream):
            guard let frames = answers[Question(asker, port: port, .healthCheck(check))] else {
                return pass(Self.unknown)
            }
            let greeting = hasGreeted ? [] : HTTP2Frame.encode(kind: HTTP2Frame.Kind.settings)
            let acknowledgement = HTTP2Frame.encode(
                kind: HTTP2Frame.Kind.settings, flags: HTTP2Frame.acknowledged)
            return .answer(greeting + acknowledgement + HealthCheckAnswer.readdress(frames, to: stream))
        }
    }

    private func pass(_ reason: String) -> Decision {
        // GOAWAY, nothing was processed: the client may ask again elsewhere (RFC 9113, 6.8).
        hasGreeted
            ? .sendAway(
                HTTP2Frame.encode(kind: HTTP2Frame.Kind.goAway, [UInt8](repeating: 0, count: 8)), reason: reason)
            : .pass(reason: reason)
    }

    /// The same for everybody: who may read what the application would say there, only the application knows.
    private func lookPassively(at bytes: [UInt8]) -> Decision {
        switch HTTPHead.looksLikeHTTP(bytes) {
        case nil: return .wait
        case false: return .answer([])
        case true: break
        }
        if case .incomplete = HTTPHead.read(bytes), bytes.count < limit { return .wait }
        return .answer(Self.asleep)
    }

    /// A record of TLS that begins a connection, of whichever version.
    private static let handshake: [UInt8] = [0x16, 0x03]
    private static let encrypted =
        "it is TLS, of which nobody but the application can tell whether it is a probe: let HTTPS probes be HTTP or TCP ones"

    private static let unknown = "while it was awake this asker has not been answered that all is well"

    private static let asleep = Array(
        """
        HTTP/1.1 503 Service Unavailable\r
        Retry-After: 60\r
        Content-Type: text/plain\r
        Content-Length: 7\r
        Connection: close\r
        \r
        asleep

        """.utf8)
}
