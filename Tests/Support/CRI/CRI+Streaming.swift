/// Addresses of the streaming server on the node, as the kubelet passes them on to `kubectl exec`, `attach` and
/// `port-forward`.
extension CRI {
    package func exec(_ id: String, _ command: [String], stdin: Bool, terminal: Bool) async throws -> String {
        try await call("Exec") {
            $0.set(1, id)
            $0.set(2, command)
            $0.set(3, terminal)
            $0.set(4, stdin)
            $0.set(5, true)
            // A terminal has no other stream.
            $0.set(6, !terminal)
        }.string(1)
    }

    package func attach(_ id: String, stdin: Bool, terminal: Bool) async throws -> String {
        try await call("Attach") {
            $0.set(1, id)
            $0.set(2, stdin)
            $0.set(3, terminal)
            $0.set(4, true)
            $0.set(5, !terminal)
        }.string(1)
    }

    package func portForward(_ sandbox: String, port: Int) async throws -> String {
        try await call("PortForward") {
            $0.set(1, sandbox)
            $0.set(2, port)
        }.string(1)
    }
}
