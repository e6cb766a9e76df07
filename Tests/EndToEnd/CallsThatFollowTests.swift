import CRI
import Commands
import Glibc
import TestNode
import Testing

extension SleepingPods {
    /// What is asked in the middle of a checkpoint or of a restore, and carried out after it.
    @Suite struct CallsThatFollowTests {
        private func inTheMiddle(
            _ isRestoring: Bool, _ body: (Container, TestNode) async throws -> Void
        ) async throws {
            let node = try await node(.current)
            if isRestoring {
                try await node.withHeldRestore { _, server, _ in try await body(server, node) }
            } else {
                try await node.withHeldCheckpoint { _, server, _ in try await body(server, node) }
            }
        }

        @Test(arguments: [true, false]) func theContainerRunsOn(_ isRestoring: Bool) async throws {
            try await inTheMiddle(isRestoring) { server, node in
                let (shim, id) = (try await server.shim(), server.id)
                let wait = Task { try await shim.wait(id) }
                try await shim.exec(id, "added", arguments: ["sh", "-c", "exit 4"])
                #expect(try await shim.state(id).status == .running)
                // Its shell has no handler for this one.
                let dropped = Task { try await shim.kill(id, SIGUSR2) }
                let resume = Task { try await shim.resume(id) }
                try await node.letCRIUGo()
                try await dropped.value
                try await expectCode(failedPrecondition) { try await resume.value }
                _ = try await shim.start(id, exec: "added")
                let status = try await eventually("the exec ends") { try? await shim.delete(id, exec: "added") }
                #expect(status == 4)
                #expect(try await node.get(server.pod.ip4, port: 8080).code == 200)
                try await shim.kill(id, SIGKILL)
                #expect(try await wait.value == 137)
            }
        }

        @Test(arguments: [true, false]) func aSignalForAllEndsIt(_ isRestoring: Bool) async throws {
            try await inTheMiddle(isRestoring) { server, node in
                let (shim, id) = (try await server.shim(), server.id)
                let wait = Task { try await shim.wait(id) }
                let kill = Task { try await shim.kill(id, SIGTERM, all: true) }
                #expect(try await shim.state(id).status == .running)
                try await node.letCRIUGo()
                try await kill.value
                #expect(try await wait.value == 7)
            }
        }
    }
}
