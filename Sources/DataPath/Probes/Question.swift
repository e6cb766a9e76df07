/// What was asked of an application, and by whom: two that are equal get the same answer.
package struct Question: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A GET: the key of its head.
        case http([UInt8])
        case healthCheck(HealthCheck)
    }

    /// Its address: an application may answer one otherwise than another.
    package let asker: UInt128
    package let port: UInt16
    package let kind: Kind

    /// What a captured request asks; nil if it is not one that can be answered asleep.
    package init?(_ request: CapturedRequest) {
        asker = request.asker
        port = request.port
        switch HTTPHead.read(request.bytes) {
        case .whole(let head) where head.isKubelets: kind = .http(head.key)
        case .whole, .incomplete: return nil
        case .unlike:
            guard case .whole(let check, _) = HealthCheck.read(request.bytes, needsPreface: false) else { return nil }
            kind = .healthCheck(check)
        }
    }

    init(_ asker: UInt128, port: UInt16, _ kind: Kind) {
        self.asker = asker
        self.port = port
        self.kind = kind
    }
}

/// What the application answered last, to each asker.
package struct Answers: Sendable {
    private var bytes: [Question: [UInt8]] = [:]

    package init() {}

    package subscript(question: Question) -> [UInt8]? {
        get { bytes[question] }
        set { bytes[question] = newValue }
    }

    package var count: Int { bytes.count }

    /// Whether this asker knows an answer that needs a conversation in HTTP/2.
    func haveHealthChecks(of port: UInt16, by asker: UInt128) -> Bool {
        bytes.keys.contains { question in
            guard case .healthCheck = question.kind else { return false }
            return question.port == port && question.asker == asker
        }
    }
}
