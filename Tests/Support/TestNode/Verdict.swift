import Synchronization

/// Whether the running test failed, so that the nodes it used are asked about it once, and before its pods are gone.
final class Verdict: Sendable {
    @TaskLocal static var current: Verdict?

    private struct State {
        var failed = false
        /// The nodes that have not been asked yet, each with how long its log was when the test came to it.
        var nodes: [String: (node: TestNode, logLength: Int)] = [:]
    }

    private let state = Mutex(State())

    func failed() { state.withLock { $0.failed = true } }

    func concerns(_ node: TestNode) { state.withLock { $0.nodes[node.name] = (node, node.logLength) } }

    /// If the test failed, prints what its nodes have to say that has not been printed yet.
    func explainOnce() async {
        let nodes = state.withLock { state in
            guard state.failed else { return [(node: TestNode, logLength: Int)]() }
            defer { state.nodes = [:] }
            return Array(state.nodes.values)
        }
        for (node, logLength) in nodes { print(await node.diagnosis(since: logLength)) }
    }
}
