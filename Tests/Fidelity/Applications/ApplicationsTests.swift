import CRI
import Commands
import Foundation
import TestNode
import Testing

extension ContainerConfig.Mount {
    /// What an application shares with its client.
    static let applicationsVolume = Self(hostPath: "/run/applications", containerPath: "/volume")
}

extension FidelityTests {
    /// Applications as people run them sleep, wake, and work on: `make compatibility`.
    @Suite(.enabled(if: !Selection.applications.isEmpty, "make compatibility"))
    struct ApplicationsTests {
        @Test func workOn() async throws {
            let node = try await node(.current)
            try await node.importImage("applications")
            try await node.shell("mkdir -p -m 1777 /run/applications")
            try await Visitor.with(on: node) { visitor in
                for application in Selection.applications {
                    let outcome = try await ApplicationTrial(application, visitor).outcome()
                    Results.shared.add(outcome)
                    for failure in outcome.failures { Issue.record("\(application): \(failure)") }
                }
            }
        }
    }
}
