import Testing

@testable import NodeDaemon

/// When the reason why a container sleeps or does not is written to the API server.
@Suite struct StatusAnnotationTests {
    /// It may change with every look at the container, and each write is one to the API server.
    @Test func aReasonAloneWaitsAndAChangeOfStateDoesNot() throws {
        let trial = try ClusterTrial()
        try trial.start()
        let before = trial.patches.count
        for reason in ["one", "two", "three"] { try trial.change { $0.reasons = [reason] } }
        #expect(trial.patches.count == before)
        try trial.change { ($0.state, $0.reasons) = (.running, ["it is not ready"]) }
        try trial.await { trial.state == #"["RUNNING"] 250m"# }
        #expect(trial.annotation.contains(#""why":"it is not ready"#))
        // One with label and annotation, one with the request.
        #expect(trial.patches.count == before + 2, "\(trial.patches)")
    }
}
