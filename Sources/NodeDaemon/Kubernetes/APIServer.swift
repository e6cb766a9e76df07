import JSON
import Linux

/// The cluster's API server: where it is, who we are to it, and how it is asked.
final class APIServer {
    struct Identity {
        /// `https://10.96.0.1:443`, without a slash at the end.
        var url: String
        var tokenFile = ""
        var authority = ""
        var clientCertificate = ""
        var clientKey = ""
    }

    /// Of one request.
    private static let patience = 30

    let identity: Identity
    private let transfers: Transfers
    /// Requests that ended, by their status; 0: without an answer.
    private(set) var counts: [Int: UInt64] = [:]
    /// The last problem with reaching it; empty while it answers.
    private(set) var trouble = ""

    init(_ identity: Identity, _ transfers: Transfers) {
        (self.identity, self.transfers) = (identity, transfers)
    }

    /// One request; `then` is called once, later.
    ///
    /// - Parameter accepted: the form of the answer.
    func ask(
        _ method: String = "GET", _ path: String, _ body: JSON? = nil, as type: String = "application/json",
        accepting accepted: String = "application/json", _ then: @escaping (Result<JSON, APIFailure>) -> Void
    ) {
        var bytes: [UInt8] = []
        var request = request(method, path, accepting: accepted)
        request.seconds = Self.patience
        if let body {
            request.body = body.bytes
            request.headers.append("Content-Type: \(type)")
        }
        let transfer = Transfer(
            request, received: { piece, _ in bytes += piece },
            ended: { [weak self] outcome in
                self?.note(outcome)
                then(Self.result(outcome, bytes))
            })
        if let transfer { transfers.start(transfer) }
    }

    /// A request whose answer comes bit by bit, such as a watch.
    /// - Parameters:
    ///   - seconds: after which the server should have ended it. One that has gone silent does not.
    ///   - received: a piece of the answer, if the status is 200; an empty one when its head has come.
    ///   - ended: nil if the server has ended it in order.
    /// - Returns: what `stop` takes.
    func stream(
        _ path: String, seconds: Int, received: @escaping ([UInt8]) -> Void, ended: @escaping (APIFailure?) -> Void
    ) -> Transfer? {
        var refusal: [UInt8] = []
        var request = request("GET", path)
        request.seconds = seconds + Self.patience
        let transfer = Transfer(
            request,
            received: { [weak self] piece, status in
                if status != 200 {
                    refusal += piece
                    return
                }
                self?.trouble = ""
                received(piece)
            },
            ended: { [weak self] outcome in
                self?.note(outcome)
                if case .answered(200) = outcome { return ended(nil) }
                if case .failure(let failure) = Self.result(outcome, refusal) { ended(failure) } else { ended(nil) }
            })
        if let transfer { transfers.start(transfer) }
        return transfer
    }

    func stop(_ transfer: Transfer) { transfers.cancel(transfer) }

    private func request(
        _ method: String, _ path: String, accepting accepted: String = "application/json"
    ) -> Transfer.Request {
        var request = Transfer.Request()
        request.method = method
        request.url = identity.url + path
        request.authority = identity.authority
        request.clientCertificate = identity.clientCertificate
        request.clientKey = identity.clientKey
        request.headers = ["Accept: \(accepted)"]
        // Read each time: the kubelet replaces a service account's token every hour.
        if !identity.tokenFile.isEmpty, let token = try? Files.readText(identity.tokenFile) {
            request.headers.append("Authorization: Bearer \(token.filter { !$0.isWhitespace })")
        }
        return request
    }

    private func note(_ outcome: Transfer.Outcome) {
        switch outcome {
        case .answered(let status):
            counts[status, default: 0] += 1
            trouble = ""
        case .failed(let reason):
            counts[0, default: 0] += 1
            trouble = "the API server \(identity.url) cannot be reached: \(reason)"
        }
    }

    private static func result(_ outcome: Transfer.Outcome, _ bytes: [UInt8]) -> Result<JSON, APIFailure> {
        switch outcome {
        case .failed(let reason): return .failure(APIFailure(status: 0, message: reason))
        case .answered(let status):
            let document = try? JSON(parsing: bytes)
            if (200..<300).contains(status), let document { return .success(document) }
            return .failure(APIFailure(status: status, document, bytes))
        }
    }
}
