import JSON
import Linux

/// Asks the API server who a token belongs to (TokenReview), and whether they may read this path
/// (SubjectAccessReview): the rights are given in the cluster, by `nonResourceURLs`.
final class Authentication {
    enum Verdict: Equatable {
        case allowed
        /// No token, or one that nobody has.
        case unknown
        case forbidden
        /// The API server cannot be asked.
        case unavailable(String)
    }

    /// How long an answer holds, and how many are kept: each scrape would otherwise be two requests.
    private static let validity = Instant.Span.seconds(60)
    private static let mostAnswers = 64

    private struct Question: Hashable {
        let token: String
        let path: String
    }

    private let api: APIServer
    private var known: [Question: (verdict: Verdict, until: Instant)] = [:]
    private var waiting: [Question: [(Verdict) -> Void]] = [:]

    init(_ api: APIServer) { self.api = api }

    /// - Parameter header: the field `Authorization`.
    func judge(_ header: String?, path: String, _ then: @escaping (Verdict) -> Void) {
        guard let token = Self.token(in: header) else { return then(.unknown) }
        let question = Question(token: token, path: path)
        if let answer = known[question], answer.until > .now { return then(answer.verdict) }
        waiting[question, default: []].append(then)
        if waiting[question]?.count == 1 { review(question) }
    }

    /// A bearer token; or the password that a person has given their browser, which has no other way to send one. The name
    /// beside it means nothing.
    static func token(in header: String?) -> String? {
        let words = (header ?? "").split(separator: " ")
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return String(words[1])
        case "basic":
            guard let bytes = Base64.decode(words[1]), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                return nil
            }
            let token = bytes[(colon + 1)...]
            return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
        default: return nil
        }
    }

    private func review(_ question: Question) {
        let body: JSON = [
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": ["token": .string(question.token)],
        ]
        api.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body) { [weak self] result in
            switch result {
            case .failure(let failure): self?.decide(.unavailable("\(failure)"), question)
            case .success(let document):
                guard let user = Self.user(in: document) else { return self?.decide(.unknown, question) ?? () }
                self?.access(user, question)
            }
        }
    }

    /// Nil unless the token is somebody's.
    static func user(in document: JSON) -> JSON? {
        let status = document["status"]
        guard status?["authenticated"]?.bool == true, let user = status?["user"], user["username"]?.string != nil
        else { return nil }
        return user
    }

    private func access(_ user: JSON, _ question: Question) {
        var spec: JSON = [
            "user": user["username"] ?? .null,
            "nonResourceAttributes": ["path": .string(question.path), "verb": "get"],
        ]
        spec["groups"] = user["groups"]
        spec["uid"] = user["uid"]
        spec["extra"] = user["extra"]
        let body: JSON = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec,
        ]
        api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body) { [weak self] result in
            switch result {
            case .failure(let failure): self?.decide(.unavailable("\(failure)"), question)
            case .success(let document): self?.decide(Self.allows(document) ? .allowed : .forbidden, question)
            }
        }
    }

    static func allows(_ document: JSON) -> Bool { document["status"]?["allowed"]?.bool == true }

    private func decide(_ verdict: Verdict, _ question: Question) {
        if case .unavailable = verdict {
        } else {
            let now = Instant.now
            known = known.filter { $0.value.until > now }
            if known.count >= Self.mostAnswers { known = [:] }
            known[question] = (verdict, now + Self.validity)
        }
        for then in waiting.removeValue(forKey: question) ?? [] { then(verdict) }
    }
}
