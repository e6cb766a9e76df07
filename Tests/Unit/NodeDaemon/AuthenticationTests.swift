import JSON
import Linux
import Testing

@testable import NodeDaemon

/// Who may read the page and the metrics.
@Suite struct AuthenticationTests {
    /// A page in somebody's browser whose name was made to lead here.
    @Test(arguments: [
        ("10.0.0.7:8080", true), ("10.0.0.7", true), ("[fd00::7]:8080", true), ("fd00::7", true),
        ("localhost:8080", true),
        ("127.0.0.1:8080", true), ("[::1]:8080", true), ("127.9.9.9", true), ("Worker-1:8080", true),
        ("metrics.shop", true),
        ("evil.example:8080", false), ("evil.example", false), ("10.0.0.8:8080", false), ("169.254.169.254", false),
        ("worker-1.evil.example", false), ("", false), ("[", false), (":8080", false), ("128.0.0.1", false),
    ]) func onlyItsOwnNamesAreAnswered(_ host: String, _ isOwn: Bool) throws {
        let addresses = try ["10.0.0.7", "fd00::7"].map { try #require(SocketAddress($0, port: 0)).address }
        #expect(HostNames(["worker-1", "metrics.shop"], addresses: Set(addresses)).contain(host) == isOwn)
        #expect(HostNames([""], addresses: []).contain(nil))
    }

    private final class Trial {
        let loop: EventLoop
        let server: StandInAPIServer
        let authentication: Authentication

        init(_ answer: @escaping (StandInAPIServer.Request) -> StandInAPIServer.Reply) throws {
            loop = try EventLoop()
            server = try StandInAPIServer(loop: loop, answer)
            let transfers = try #require(Transfers(loop: loop))
            authentication = Authentication(APIServer(.init(url: server.url), transfers))
        }

        func judge(_ header: String?, _ path: String = "/metrics") throws -> Authentication.Verdict? {
            var verdict: Authentication.Verdict?
            var isLate = false
            authentication.judge(header, path: path) { verdict = $0 }
            let timer = loop.after(.seconds(60)) { isLate = true }
            try loop.run(until: { isLate || verdict != nil })
            loop.cancel(timer)
            return verdict
        }
    }

    /// `good` is a token of a user who may read the metrics and not the page.
    private static func answer(_ request: StandInAPIServer.Request) -> StandInAPIServer.Reply {
        let document = try? JSON(parsing: request.body)
        switch request.path {
        case "/apis/authentication.k8s.io/v1/tokenreviews":
            let isGood = document?["spec"]?["token"]?.string == "good"
            let user = isGood ? #","user":{"username":"prometheus","groups":["g"]}"# : ""
            return .init(status: 201, body: #"{"status":{"authenticated":\#(isGood)\#(user)}}"#)
        case "/apis/authorization.k8s.io/v1/subjectaccessreviews":
            let spec = document?["spec"]
            let mayRead =
                spec?["user"]?.string == "prometheus" && spec?["groups"]?.strings == ["g"]
                && spec?["nonResourceAttributes"]?["path"]?.string == "/metrics"
                && spec?["nonResourceAttributes"]?["verb"]?.string == "get"
            return .init(status: 201, body: #"{"status":{"allowed":\#(mayRead)}}"#)
        default: return .init(status: 404)
        }
    }

    @Test func theClusterSaysWhoMayRead() throws {
        let trial = try Trial(Self.answer)
        for header in [nil, "", "Bearer", "Basic good", "Bearer good bad", "good"] {
            #expect(try trial.judge(header) == .unknown)
        }
        #expect(trial.server.requests.isEmpty)
        #expect(try trial.judge("Bearer bad") == .unknown)
        #expect(try trial.judge("Bearer good") == .allowed)
        #expect(try trial.judge("Bearer good", "/") == .forbidden)
        // As a browser sends what was typed as a password: "anybody:good".
        #expect(try trial.judge("Basic YW55Ym9keTpnb29k") == .allowed)
        // What is known is not asked again.
        let asked = trial.server.requests.count
        #expect(try trial.judge("bearer good") == .allowed)
        #expect(try trial.judge("Bearer bad") == .unknown)
        #expect(trial.server.requests.count == asked)
    }

    @Test(arguments: [
        ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("+/+/", "\u{fb}\u{ff}\u{bf}"), ("", ""),
    ]) func base64IsRead(_ text: String, _ expected: String) {
        #expect(Base64.decode(text) == expected.unicodeScalars.map { UInt8($0.value) })
    }

    @Test(arguments: ["Zg", "Zg=", "Z===", "====", "Zm9v Zg==", "Zg==Zg==", "Zm9\u{fc}", "Zm9-"])
    func whatIsNoBase64(_ text: String) { #expect(Base64.decode(text) == nil) }

    /// Nobody is let in because nobody could be asked.
    @Test func withoutAnAnswerNobodyReads() throws {
        let trial = try Trial { _ in .init(status: 500, body: "no") }
        guard case .unavailable = try trial.judge("Bearer good") else {
            Issue.record("a verdict without an answer")
            return
        }
    }
}
