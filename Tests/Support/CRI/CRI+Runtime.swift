package struct RuntimeVersion: Sendable {
    package let name: String
    package let version: String
}

extension CRI {
    package func version() async throws -> RuntimeVersion {
        let reply = try await call("Version")
        return RuntimeVersion(name: reply.string(2), version: reply.string(3))
    }

    /// What containerd says of itself: conditions such as RuntimeReady and NetworkReady, with the reason for a false one.
    package func status() async throws -> [String: (holds: Bool, reason: String)] {
        let conditions = try await call("Status").message(1).messages(1)
        return Dictionary(conditions.map { ($0.string(1), ($0.integer(2) == 1, $0.string(4))) }) { $1 }
    }

    /// What the runtimes of a node can do, by the names that RuntimeClasses give them, as the kubelet asks.
    package func features() async throws -> [String: RuntimeFeatures] {
        let handlers = try await call("Status").messages(3)
        return Dictionary(
            handlers.map { handler in
                let features = handler.message(2)
                return (
                    handler.string(1),
                    RuntimeFeatures(
                        recursiveReadOnly: features.integer(1) == 1, userNamespaces: features.integer(2) == 1)
                )
            }
        ) { $1 }
    }
}

/// What a pod may ask for only where its runtime says that it can do it.
package struct RuntimeFeatures: Sendable, Equatable {
    package let recursiveReadOnly: Bool
    package let userNamespaces: Bool
}
