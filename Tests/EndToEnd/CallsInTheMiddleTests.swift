import CRI
import Commands
import Foundation
import TestNode
import Testing

extension AlteredNodes {
    /// criu in the middle of a checkpoint or a restore, where a stand-in before it stops both. What calls do there is
    /// tried in `CallsInEveryStateTests`.
    @Suite struct CallsInTheMiddleTests {
        /// A restore that hangs is no reason to wait. Killed in the middle, CRIU leaves children that wait for it, and hold the
        /// socket that the shim reads from.
        @Test func sigkillEndsWhatCRIUHasForked() async throws {
            let node = try await node(.current)
            try await node.withHeldRestore(forking: true) { _, server, _ in
                let forked = "pgrep -f '^sleep 1234'"
                #expect(try await node.shell(forked).lines.count == 1)
                try await server.stop(timeout: 0)
                #expect(try await server.awaitExit().exitCode == 137)
                try await server.remove()
                #expect(try await node.shell(forked, expecting: nil).text.isEmpty)
                // Nobody has let it go.
                #expect(try await node.shell("pgrep -f 'criu swrk'", expecting: nil).text.isEmpty)
            }
        }

        /// CRIU that does nothing any more is ended. It may be tried again, as nothing has happened.
        @Test(arguments: ["STOP", "KILL"]) func interruptedRestoreIsTriedAgain(_ signal: String) async throws {
            let node = try await node(.current)
            try await node.withHeldRestore { pod, server, letGo in
                try await node.run("pkill", "-\(signal)", "-x", "criu")
                try await letGo()
                if signal == "STOP" {
                    try await server.awaitShimLog("criu does nothing any more")
                }
                try await server.awaitShimLog("restored")
                try await server.expectWakes(1)
                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
            }
        }

        @Test(arguments: ["STOP", "KILL"]) func interruptedCheckpointHarmsNobody(_ signal: String) async throws {
            let node = try await node(.current)
            try await node.withHeldCheckpoint { pod, server, letGo in
                let processes = try await server.processes()
                try await node.run("pkill", "-\(signal)", "-x", "criu")
                try await letGo()
                try await server.awaitShimLog("checkpoint failed, the container runs on")
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                #expect(try await server.processes() == processes)
                #expect(!FileManager.default.fileExists(atPath: server.snapshot.appending(path: "images").path()))
            }
        }
    }
}
