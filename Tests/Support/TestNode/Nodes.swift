import Foundation
import Testing

/// The nodes of a suite, one for each containerd, started when the first test asks for it.
package actor Nodes {
    @TaskLocal package static var current: Nodes?

    private let prefix: String
    private let shim: URL?
    private let options: [String]
    private var starting: [Containerd: Task<TestNode, any Error>] = [:]

    init(prefix: String, shim: URL?, options: [String]) {
        self.prefix = prefix
        self.shim = shim
        self.options = options
    }

    package func node(_ containerd: Containerd) async throws -> TestNode {
        if let task = starting[containerd] { return try await task.value }
        let (name, shim, options) = ("\(prefix).\(containerd.rawValue)", shim, options)
        let task = Task {
            try await TestNode.up(name, containerd: containerd, shim: shim, options: options)
        }
        starting[containerd] = task
        return try await task.value
    }

    var started: [TestNode] {
        get async {
            var nodes: [TestNode] = []
            for task in starting.values {
                if let node = try? await task.value { nodes.append(node) }
            }
            return nodes
        }
    }
}

/// The node of the suite that the calling test belongs to.
package func node(_ containerd: Containerd) async throws -> TestNode {
    let nodes = try #require(Nodes.current, "the suite needs the trait .nodes")
    let node = try await nodes.node(containerd)
    Verdict.current?.concerns(node)
    return node
}

/// A suite's nodes: started when asked for, looked over and ended after the last test. When a test fails, what its
/// nodes have to say about it is printed.
package struct NodesTrait: SuiteTrait, TestTrait, TestScoping {
    let prefix: String
    let shim: URL?
    let options: [String]

    package var isRecursive: Bool { true }

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> NodesTrait? {
        // Once around the outermost suite, and once around each run of a test function.
        test.isSuite ? (Nodes.current == nil ? self : nil) : (testCase == nil ? nil : self)
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        if test.isSuite {
            try await provideNodes(function)
        } else {
            try await explainFailure(of: test, testCase: testCase, function)
        }
    }

    private func provideNodes(_ function: @Sendable () async throws -> Void) async throws {
        let nodes = Nodes(prefix: prefix, shim: shim, options: options)
        try await Nodes.$current.withValue(nodes, operation: function)
        for node in await nodes.started {
            let left = try await node.lastingLeftovers()
            #expect(left == [], "pods left something on \(node.name)")
            try await node.down()
            let remains = try await node.leftovers()
            #expect(remains == [], "\(node.name) left something on this machine")
        }
    }

    private func explainFailure(
        of test: Test, testCase: Test.Case?, _ function: @Sendable () async throws -> Void
    ) async throws {
        let verdict = Verdict()
        let watch = IssueHandlingTrait.compactMapIssues { issue in
            verdict.failed()
            return issue
        }
        do {
            try await Verdict.$current.withValue(verdict) {
                try await watch.provideScope(for: test, testCase: testCase, performing: function)
            }
        } catch {
            verdict.failed()
            await verdict.explainOnce()
            throw error
        }
        await verdict.explainOnce()
    }
}

extension Trait where Self == NodesTrait {
    /// `prefix` begins the names of the nodes, and no two suites have the same one.
    package static func nodes(_ prefix: String, shim: URL? = Runtime.shim, options: [String] = []) -> Self {
        NodesTrait(prefix: prefix, shim: shim, options: options)
    }
}
