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
}
