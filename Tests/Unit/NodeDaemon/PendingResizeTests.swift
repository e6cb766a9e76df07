import JSON
import Testing

@testable import NodeDaemon

/// Requests that the kubelet cannot put back on a full node.
@Suite struct PendingResizeTests {
    private static func condition(_ status: String, _ reason: String = "Deferred") -> JSON {
        let condition: JSON = [
            "type": "PodResizePending", "status": .string(status), "reason": .string(reason),
            "message": "Node didn't have enough resource: cpu",
        ]
        return ["conditions": [["type": "Ready", "status": "True"], condition]]
    }

    @Test(
        arguments: [
            (Self.condition("True"), "Deferred, Node didn't have enough resource: cpu"),
            (Self.condition("True", "Infeasible"), "Infeasible, Node didn't have enough resource: cpu"),
            (["resize": "Infeasible"], "Infeasible"), (["resize": "Deferred"], "Deferred"),
        ] as [(JSON, String)]) func isReadFromTheStatus(_ status: JSON, _ words: String)
    {
        let found = Pod.PendingResize(status: status)
        #expect(found?.words == "the kubelet has not put its requests into effect: \(words)")
    }

    @Test(arguments: [condition("False"), ["resize": "InProgress"], ["resize": "Proposed"], [:], "x"] as [JSON])
    func whatIsUnderWayIsNone(_ status: JSON) { #expect(Pod.PendingResize(status: status) == nil) }

    @Test func isToldOfAPodOfThisNode() throws {
        let trial = try ClusterTrial()
        trial.status = Self.condition("True", "Infeasible")
        try trial.start()
        let words =
            "the kubelet has not put its requests into effect: Infeasible, Node didn't have enough resource: cpu"
        let cluster = try #require(trial.cluster)
        #expect(cluster.notes.contains("d/p: \(words)"))
        #expect(cluster.pendingResizes.map { "\($0.pod) \($0.resize.reason)" } == ["d/p Infeasible"])
        #expect(trial.annotation.contains(words))
    }

    @Test func isForgottenWhenItIsOver() throws {
        let trial = try ClusterTrial()
        trial.status = Self.condition("True")
        try trial.start()
        trial.status = Self.condition("False")
        // The next answer of the server has it.
        trial.isLabelled = false
        let cluster = try #require(trial.cluster)
        try trial.leave()
        #expect(cluster.pendingResizes.isEmpty && !cluster.notes.contains { $0.hasPrefix("d/p: ") }, "\(cluster.notes)")
    }
}
