import Foundation
import Synchronization
import TestNode
import Testing

/// A suite's cluster with everything applied and its node labelled, made before the first test and ended after the last.
/// When a test fails, what the cluster has to say about it is printed.
package struct InstalledCluster: SuiteTrait, TestTrait, TestScoping {
    @TaskLocal package static var current: Cluster?

    let name: String

    package var isRecursive: Bool { true }

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> InstalledCluster? {
        // Once around the suite, and once around each of its tests.
        test.isSuite || testCase != nil ? self : nil
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        if test.isSuite {
            try await Cluster.with(name, Kubernetes.newestContainerd) { cluster in
                try await cluster.install()
                try await Self.$current.withValue(cluster, operation: function)
            }
        } else {
            try await explainFailure(of: test, testCase, function)
        }
    }

    private func explainFailure(
        of test: Test, _ testCase: Test.Case?, _ function: @Sendable () async throws -> Void
    ) async throws {
        let failures = Failures()
        let watch = IssueHandlingTrait.compactMapIssues { issue in
            failures.count.withLock { $0 += 1 }
            return issue
        }
        do {
            try await watch.provideScope(for: test, testCase: testCase, performing: function)
        } catch {
            if let cluster = Self.current { print(await cluster.diagnosis()) }
            throw error
        }
        if failures.count.withLock({ $0 > 0 }), let cluster = Self.current { print(await cluster.diagnosis()) }
    }

    private final class Failures: Sendable {
        let count = Mutex(0)
    }
}

extension Trait where Self == InstalledCluster {
    package static func cluster(_ name: String) -> Self { InstalledCluster(name: name) }
}

/// The cluster of the suite that the calling test belongs to.
package func cluster() throws -> Cluster {
    try #require(InstalledCluster.current, "the suite needs the trait .cluster")
}
