import Glibc
import Linux
import Testing

@testable import NodeDaemon

/// The daemon's side of an API server that is away, comes back, and is not what it was.
@Suite struct OutageTests {
    /// The daemon's view of the pods of a node, against a stand-in for the API server.
    private final class Trial {
        let loop: EventLoop
        let server: StandInAPIServer
        private let api: APIServer
        private var watch: PodWatch?
        private(set) var told: [String] = []

        init(
            token: String = "", _ answer: @escaping (StandInAPIServer.Request) -> StandInAPIServer.Reply
        ) throws {
            loop = try EventLoop()
            server = try StandInAPIServer(loop: loop, answer)
            let transfers = try #require(Transfers(loop: loop))
            api = APIServer(.init(url: server.url, tokenFile: token), transfers)
            let log = Log(to: try .open("/dev/null", O_WRONLY))
            watch = PodWatch(api, node: "n", loop: loop, log: log) { [unowned self] pod, gone in
                if let gone { told.append("-\(gone.name)") }
                if let pod { told.append("\(pod.name)@\(pod.version)") }
            }
            watch?.start()
        }

        /// Far later than any of this takes.
        func await(_ isDone: () -> Bool) throws {
            var isLate = false
            let timer = loop.after(.seconds(60)) { isLate = true }
            try loop.run(until: { isLate || isDone() })
            loop.cancel(timer)
            #expect(!isLate, "it does not happen; asked was \(server.requests.map(\.path))")
        }

        var isSynchronized: Bool { watch?.isSynchronized ?? false }
        var trouble: String { api.trouble }
        var watches: [StandInAPIServer.Request] { server.requests.filter(\.isWatch) }
        var listings: Int { server.requests.count { !$0.isWatch } }
    }

    private static func pod(_ name: String, _ version: Int) -> String {
        #"{"metadata":{"name":"\#(name)","namespace":"d","uid":"u-\#(name)","resourceVersion":"\#(version)"}}"#
    }

    private static func list(_ version: Int, _ pods: String...) -> StandInAPIServer.Reply {
        .init(
            body: #"{"metadata":{"resourceVersion":"\#(version)"},"items":[\#(pods.joined(separator: ","))]}"#)
    }

    private static let gone = #"{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}"#

    /// etcd was compacted meanwhile. The server says so with a status, or in the watch.
    @Test(arguments: [false, true]) func aWatchTooFarBehindListsAgain(_ inTheWatch: Bool) throws {
        var lists = [Self.list(5, Self.pod("old", 3), Self.pod("kept", 4)), Self.list(90, Self.pod("kept", 80))]
        var watches = [
            inTheWatch
                ? StandInAPIServer.Reply(body: #"{"type":"ERROR","object":\#(Self.gone)}"# + "\n", staysOpen: true)
                : .init(status: 410, body: Self.gone), .init(staysOpen: true),
        ]
        let trial = try Trial { $0.isWatch ? watches.removeFirst() : lists.removeFirst() }
        try trial.await { trial.watches.count == 2 }
        #expect(trial.watches[0].path.contains("resourceVersion=5&"))
        #expect(trial.watches[1].path.contains("resourceVersion=90&"))
        #expect(trial.told.prefix(2).sorted() == ["kept@4", "old@3"])
        #expect(trial.told.dropFirst(2) == ["-old", "kept@80"])
    }

    /// A server that can never be followed is not asked in a circle. Load makes it only slower.
    @Test func oneThatIsAlwaysAheadIsAskedLessAndLess() throws {
        let trial = try Trial { request in
            request.isWatch ? .init(status: 410, body: Self.gone) : Self.list(5)
        }
        let start = Instant.now
        try trial.await { trial.listings == 6 }
        // Half of 0.4, 0.8, 1.6 and 3.2 seconds, after one at once.
        #expect(Instant.now.since(start) >= .seconds(3))
    }

    /// What the daemon knows came out of a future that the server has lost. To a watch from there it says nothing.
    @Test func aServerThatWasSetBackIsBelieved() throws {
        var lists = [Self.list(100, Self.pod("a", 90)), Self.list(50, Self.pod("a", 40))]
        var watches = [StandInAPIServer.Reply(), .init(staysOpen: true)]
        let trial = try Trial { request in
            if request.isWatch { return watches.removeFirst() }
            return request.path.hasSuffix("limit=1") ? lists[0] : lists.removeFirst()
        }
        try trial.await { trial.watches.count == 2 }
        #expect(trial.told == ["a@90", "a@40"])
        #expect(trial.watches[1].path.contains("resourceVersion=50&"))
    }

    /// The kubelet has replaced the token meanwhile.
    @Test func theTokenIsReadAnew() throws {
        let directory = try Files.makeTemporaryDirectory(prefix: "/tmp/zeropod-token")
        defer { try? Files.removeTree(directory) }
        let file = "\(directory)/token"
        try Files.write("first\n", to: file)
        let trial = try Trial(token: file) { request in
            if request.authorization == "Bearer second" {
                return request.isWatch ? .init(staysOpen: true) : Self.list(5)
            }
            try? Files.replace(file, with: Array("second\n".utf8))
            return .init(status: 401, body: #"{"kind":"Status","code":401,"reason":"Unauthorized"}"#)
        }
        try trial.await { trial.isSynchronized }
        #expect(trial.server.requests.map(\.authorization).prefix(2) == ["Bearer first", "Bearer second"])
    }

    /// A watch in which nothing happens has ended the outage all the same.
    @Test func aWatchThatBeginsEndsTheTrouble() throws {
        var watches = [StandInAPIServer.Reply(status: 503, body: "no"), .init(staysOpen: true)]
        var isBack = false
        let trial = try Trial { request in
            if !isBack && request.isWatch {
                isBack = true
                return watches.removeFirst()
            }
            return request.isWatch ? watches.removeFirst() : Self.list(5)
        }
        try trial.await { trial.watches.count == 2 }
        try trial.await { trial.trouble.isEmpty }
    }

    /// One whose machine has lost its power says nothing any more, not even to what is sent to it.
    @Test func aSilentConnectionHasAMinute() throws {
        let trial = try Trial { $0.isWatch ? .init(staysOpen: true) : Self.list(5) }
        try trial.await { trial.watches.count == 1 }
        let limits = (3..<1024 as Range<Int32>).filter { peerPort(of: $0) == trial.server.port }.map { socket in
            var (limit, size) = (UInt32(0), socklen_t(MemoryLayout<UInt32>.size))
            getsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, &size)
            return limit
        }
        #expect(!limits.isEmpty && limits.allSatisfy { $0 == 60_000 })
    }

    /// Nil for what is no connection.
    private func peerPort(of number: Int32) -> UInt16? {
        let descriptor = Descriptor(owning: number)
        let port = try? TCPSocket.peerAddress(descriptor).port
        // It belongs to libcurl, or to whomever.
        _ = descriptor.release()
        return port
    }

    @Test func attemptsComeEveryHalfMinuteAtLast() {
        for failures in 0...200 {
            let delay = Backoff.delay(afterFailures: failures)
            #expect(delay <= .seconds(30) && delay >= .milliseconds(50))
            if failures > 9 { #expect(delay >= .seconds(15)) }
        }
    }
}
