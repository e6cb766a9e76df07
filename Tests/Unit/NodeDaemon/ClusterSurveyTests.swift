import JSON
import Linux
import Testing

@testable import NodeDaemon

/// How the containers of all nodes are listed, from a stand-in for the API server.
@Suite struct ClusterSurveyTests {
    private final class Trial {
        private let loop: EventLoop
        let server: StandInAPIServer
        private let survey: ClusterSurvey

        init(_ answer: @escaping (StandInAPIServer.Request) -> StandInAPIServer.Reply) throws {
            loop = try EventLoop()
            server = try StandInAPIServer(loop: loop, answer)
            survey = ClusterSurvey(APIServer(.init(url: server.url), try #require(Transfers(loop: loop))))
        }

        /// What each of so many people is told who ask at the same moment.
        func ask(_ people: Int = 1) throws -> [ClusterSurvey.Findings] {
            var told: [ClusterSurvey.Findings] = []
            for _ in 0..<people { survey.ask { told.append($0) } }
            // Far later than any of this takes.
            var isLate = false
            let timer = loop.after(.seconds(60)) { isLate = true }
            try loop.run(until: { isLate || told.count == people })
            loop.cancel(timer)
            #expect(!isLate, "nobody answers; asked was \(server.requests.map(\.path))")
            return told
        }
    }

    private static func list(_ pods: [JSON], goesOnAt mark: String = "") -> StandInAPIServer.Reply {
        let document: JSON = ["metadata": ["continue": .string(mark)], "items": .array(pods)]
        return .init(body: document.text)
    }

    @Test func allPiecesAreListedOnceForAllWhoAsk() throws {
        let trial = try Trial { request in
            request.path.contains("continue=more")
                ? Self.list([ClusterPageTests.pod("b", "RUNNING")])
                : Self.list([ClusterPageTests.pod("a", "SCALED_DOWN"), ["metadata": ["name": "x"]]], goesOnAt: "more")
        }
        for findings in try trial.ask(2) + trial.ask() {
            #expect(findings.trouble.isEmpty)
            #expect(findings.containers.map(\.pod) == ["a", "b"])
            #expect(findings.containers.map(\.state) == [.asleep, .awake])
            #expect(findings.containers.first?.annotation?.memoryFreed == 17 << 20)
        }
        #expect(trial.server.requests.count == 2)
        #expect(trial.server.requests[0].path.contains("status.phase%3DRunning&limit=100"))
        // What pods are to run is not asked for.
        #expect(trial.server.requests.allSatisfy { $0.accept.contains("as=PartialObjectMetadataList") })
    }

    /// In the middle of the list, too. The next who asks may have more luck.
    @Test func aFailureIsSaidAndNotKept() throws {
        var replies = [
            Self.list([ClusterPageTests.pod("a", "RUNNING")], goesOnAt: "more"),
            .init(status: 403, body: #"{"code":403,"reason":"Forbidden","message":"pods is forbidden"}"#),
            Self.list([ClusterPageTests.pod("a", "RUNNING")]),
        ]
        let trial = try Trial { _ in replies.removeFirst() }
        let failed = try #require(try trial.ask().first)
        #expect(failed.containers.isEmpty && failed.trouble.hasSuffix("403 Forbidden: pods is forbidden"))
        let found = try #require(try trial.ask().first)
        #expect(found.containers.map(\.pod) == ["a"] && found.trouble.isEmpty)
    }
}
