import Commands

extension Browser {
    /// In a node's network.
    package init(on node: TestNode) {
        let pid = node.root.split(separator: "/").dropFirst().first.map(String.init) ?? "self"
        self.init(network: "/proc/\(pid)/ns/net")
    }
}
