import Linux

@testable import DataPath

extension FuzzTarget {
    /// What a client sends that may be a probe. The first byte says into what pieces it is cut, and on what kind of port.
    static let visitors = FuzzTarget("visitors") { bytes in
        guard let first = bytes.first else { return }
        let sent = Array(bytes.dropFirst())
        let (isPassive, step, limit) = (first & 1 == 1, Int(first >> 1) + 1, 1024)
        // Whatever is understood at the end is known, the best case for being taken for something that it is not.
        var answers = Answers()
        let answer = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        let whole = CapturedRequest(asker: 1, port: 80, last: .now, bytes: Array(sent.prefix(limit)))
        if let question = Question(whole) { answers[question] = answer }

        var visitor = Visitor(asker: 1, port: 80, isPassive: isPassive, limit: limit, answers: answers)
        for end in stride(from: min(step, sent.count), through: min(sent.count, limit), by: step) {
            let come = Array(sent[..<end])
            switch visitor.look(at: come) {
            case .wait: precondition(end < limit, "it waits for more than it may look at")
            case .greet: precondition(!isPassive && come.starts(with: HTTP2Frame.preface))
            case .answer:
                precondition(isPassive || answers.count == 1, "an answer that is not known")
                return
            case .pass, .sendAway:
                precondition(!isPassive, "a passive port wakes")
                return
            }
        }
        _ = visitor.timedOut(after: Array(sent.prefix(limit)))
    }

    /// Frames, header blocks and health checks of HTTP/2.
    static let http2 = FuzzTarget("http2") { bytes in
        var rest = bytes[...]
        while let frame = HTTP2Frame.take(from: &rest) {
            var encoded = HTTP2Frame.encode(
                kind: frame.kind, flags: frame.flags, stream: frame.stream, Array(frame.payload))[...]
            let again = HTTP2Frame.take(from: &encoded)
            precondition(again?.payload.elementsEqual(frame.payload) == true && encoded.isEmpty)
            precondition(again?.kind == frame.kind && again?.flags == frame.flags && again?.stream == frame.stream)
            if let content = frame.content { precondition(content.count <= frame.payload.count) }
        }
        _ = HeaderBlock.isHealthCheck(bytes[...])
        for needsPreface in [true, false] { _ = HealthCheck.read(bytes, needsPreface: needsPreface) }
    }

    /// What an application answers to a probe. The first byte says what else is known of it.
    static let answers = FuzzTarget("answers") { bytes in
        guard let first = bytes.first else { return }
        let sent = Array(bytes.dropFirst())
        if let result = HTTPAnswer.read(sent, isCut: first & 1 != 0, isOver: first & 2 != 0) {
            precondition(result.count <= sent.count + 64, "more than was answered")
        }
        if let frames = HealthCheckAnswer.read(sent) {
            precondition(frames.count <= sent.count, "more than was answered")
            precondition(HealthCheckAnswer.readdress(frames, to: 7).count == frames.count)
        }
    }
}
