import Testing

@testable import NodeDaemon

/// What a daemon does with labels and requests when it is told to end: nothing, unless its node is not labelled any more.
@Suite struct LeavingTests {
    @Test func atAnUpgradeAllStays() throws {
        let trial = try ClusterTrial()
        try trial.start()
        let patches = trial.patches.count
        try trial.leave()
        #expect(trial.state == #"["SCALED_DOWN"] 1m"# && trial.patches.count == patches)
    }

    @Test func withoutTheLabelAllBecomesWhatItWas() throws {
        let trial = try ClusterTrial()
        try trial.start()
        trial.isLabelled = false
        try trial.leave()
        #expect(trial.state == "[] 250m" && trial.annotation.isEmpty, "\(trial.patches)")
    }
}
