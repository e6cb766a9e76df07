import Commands
import TestNode

/// Containers that are stopped in the middle of a change.
extension TestNode {
    /// Gives `body` a server of which a checkpoint is under way, and a way to let it go on.
    func withHeldCheckpoint(
        _ annotations: [String: String] = [:],
        _ body: (Pod, Container, _ letGo: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withStandInForCRIU {
            try await holdCRIU()
            try await withSleepyPod("held", annotations) { pod in
                let server = try await pod.start("server", image: "python", command: serverThatHeedsTerm)
                try await server.awaitCheckpointBegin()
                try await lettingCRIUGo { try await body(pod, server, letCRIUGo) }
            }
        }
    }

    /// Gives `body` a server that a connection is waking, and a way to let that go on.
    func withHeldRestore(
        forking: Bool = false, _ body: (Pod, Container, _ letGo: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withStandInForCRIU {
            try await withSleepyPod("waking", after: "1s") { pod in
                let server = try await pod.start("server", image: "python", command: serverThatHeedsTerm)
                try await server.awaitSleep()
                try await holdCRIU(forking: forking)
                try await lettingCRIUGo {
                    // Its answer is no matter: some tests end the server first.
                    let first = Task { try? await get(pod.ip4, port: 8080, from: .outside) }
                    try await eventually("a request is held") { try await pod.waiting() == 1 }
                    try await body(pod, server, letCRIUGo)
                    _ = await first.value
                }
            }
        }
    }
}
