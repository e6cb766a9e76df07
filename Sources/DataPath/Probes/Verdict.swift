import Linux

/// What the application said to a probe last.
package enum Verdict: Equatable, Sendable {
    /// That all is well; asleep these bytes are answered again.
    case well([UInt8])
    /// It cannot be answered again: of the answer only a part is known, or it cannot be understood.
    case unknown
    /// That it is not well, in words for people, or nothing at all.
    case failed(String)

    package var answer: [UInt8]? {
        if case .well(let answer) = self { answer } else { nil }
    }

    package var failure: String? {
        if case .failed(let what) = self { what } else { nil }
    }
}

extension Question {
    /// A failure is the application's to give, since asleep it would never get well.
    package func verdict(on request: CapturedRequest) -> Verdict {
        if request.answer.isEmpty { return .failed("\(self) got no answer") }
        switch kind {
        case .http:
            if let answer = HTTPAnswer.read(request.answer, isCut: request.isCut, isOver: request.isOver) {
                return .well(answer)
            }
            guard let status = HTTPAnswer.status(request.answer), !(200..<400).contains(status) else { return .unknown }
            return .failed("\(self) was answered \(status)")
        case .healthCheck:
            if request.isCut { return .unknown }
            if let answer = HealthCheckAnswer.read(request.answer) { return .well(answer) }
            return HealthCheckAnswer.isComplete(request.answer) ? .failed("\(self) was not answered SERVING") : .unknown
        }
    }
}

extension Question: CustomStringConvertible {
    /// For people. What was asked is somebody else's text: of it only plain letters, and not many.
    package var description: String {
        "\(words) on port \(port)"
    }

    private var words: String {
        switch kind {
        case .http(let key):
            let line = key.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
            let path = line.split(separator: UInt8(ascii: " ")).dropFirst().first ?? []
            return "GET \(Self.plain(path))"
        case .healthCheck(let check):
            // A field of one string (1): its tag, its length.
            let service = Self.plain(check.message.dropFirst(2))
            return service.isEmpty ? "the health check" : "the health check of \(service)"
        }
    }

    private static func plain(_ text: some Sequence<UInt8>) -> String {
        String(
            decoding: text.lazy.map { (0x21..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }.prefix(64), as: UTF8.self)
    }
}
