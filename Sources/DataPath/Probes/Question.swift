/// What was asked of an application: two that are equal get the same answer.
package struct Question: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A GET: the key of its head.
        case http([UInt8])
        case healthCheck(HealthCheck)
    }

    package let port: UInt16
    package let kind: Kind

    /// What a captured request asks; nil if it is not one that can be answered asleep.
    ///
    /// - Parameter isPassive: The port is; then it need not be a probe.
    package init?(_ request: CapturedRequest, isPassive: Bool) {
        port = request.destination.port
        switch HTTPHead.read(request.bytes) {
        case .whole(let head) where isPassive || head.isKubelets: kind = .http(head.key)
        case .whole, .incomplete: return nil
        case .unlike:
            guard case .whole(let check, _) = HealthCheck.read(request.bytes, needsPreface: false) else { return nil }
            kind = .healthCheck(check)
        }
    }

    init(port: UInt16, _ kind: Kind) {
        self.port = port
        self.kind = kind
    }
}

/// What the application answered last.
package struct Answers: Sendable {
    /// Most of an answer that is kept. A kubelet reads 10 kB of a body.
    static let mostBytes = 16 << 10

    private var bytes: [Question: [UInt8]] = [:]

    package init() {}

    package subscript(question: Question) -> [UInt8]? {
        get { bytes[question] }
        set { bytes[question] = newValue }
    }

    package var count: Int { bytes.count }

    /// Whether anything is known that needs a conversation in HTTP/2.
    func knowsHealthChecks(of port: UInt16) -> Bool {
        bytes.keys.contains { question in
            if case .healthCheck = question.kind { question.port == port } else { false }
        }
    }
}
