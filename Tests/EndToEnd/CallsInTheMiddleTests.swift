import CRI
import Commands
import Foundation
import Glibc
import TestNode
import Testing

extension AlteredNodes {
    /// The columns "checkpointing" and "restoring" of docs/calls.md. A stand-in before criu stops both in the middle.
    @Suite struct CallsInTheMiddleTests {
        @Test func askingDoesNotDisturbACheckpoint() async throws {
            try await node(.current).withHeldCheckpoint { _, server, letGo in
                try await ask(server)
                try await letGo()
                try await server.awaitSleep()
            }
        }

        @Test func askingDoesNotWaitForARestore() async throws {
            try await node(.current).withHeldRestore { pod, server, letGo in
                try await ask(server)
                try await letGo()
                try await server.awaitShimLog("restored")
            }
        }

        /// Changes of limits and pauses wait for the end of the checkpoint, and do not wake.
        @Test func changesFollowACheckpoint() async throws {
            try await node(.current).withHeldCheckpoint { _, server, letGo in
                let shim = try await server.shim()
                async let update: Void = shim.update(server.id, resources: limit(96))
                async let pause: Void = shim.pause(server.id)
                // Both are asked for on connections of their own, and answered after the checkpoint.
                #expect(try await shim.state(server.id).status == .running)
                try await letGo()
                _ = try await (update, pause)
                try await server.expectSleeps(1)
                try await server.expectWakes(0)
                #expect(try await shim.stats(server.id).memoryLimit == 96 << 20)
                #expect(try await shim.state(server.id).status == .paused)
                try await shim.resume(server.id)
                try await server.expectWakes(0)
            }
        }

        @Test func changesFollowARestore() async throws {
            try await node(.current).withHeldRestore { _, server, letGo in
                let shim = try await server.shim()
                async let update: Void = shim.update(server.id, resources: limit(96))
                #expect(try await shim.state(server.id).status == .running)
                try await letGo()
                try await update
                #expect(try await server.memoryLimit() == 96 << 20)
                try await shim.pause(server.id)
                #expect(try await shim.state(server.id).status == .paused)
                try await expectCode(failedPrecondition) { try await shim.pause(server.id) }
                try await shim.resume(server.id)
                try await expectCode(failedPrecondition) { try await shim.resume(server.id) }
            }
        }

        @Test(arguments: [true, false]) func exportFollows(_ isRestoring: Bool) async throws {
            let node = try await node(.current)
            func export(_ server: Container, _ letGo: () async throws -> Void) async throws {
                async let export: Void = server.shim().checkpoint(server.id, images: "/run/export")
                #expect(try await server.shim().state(server.id).status == .running)
                try await letGo()
                try await export
                #expect(try await node.shell("ls /run/export; rm -r /run/export").text.contains("core-1.img"))
                #expect(try await node.get(server.pod.ip4, port: 8080).code == 200)
            }
            if isRestoring {
                try await node.withHeldRestore { try await export($1, $2) }
            } else {
                try await node.withHeldCheckpoint { try await export($1, $2) }
            }
        }

        /// A restore that hangs is no reason to wait.
        @Test(arguments: Containerd.usual) func sigkillDoesNotWaitForARestore(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withHeldRestore { _, server, _ in
                try await server.stop(timeout: 0)
                #expect(try await server.awaitExit().exitCode == 137)
                try await server.remove()
                // Nobody has let it go.
                #expect(try await node.shell("pgrep -f 'criu swrk'", expecting: nil).text.isEmpty)
            }
        }

        /// Killed in the middle, CRIU leaves children that wait for it, and hold the socket that the shim reads from.
        @Test func sigkillEndsWhatCRIUHasForked() async throws {
            let node = try await node(.current)
            try await node.withHeldRestore(forking: true) { _, server, _ in
                let forked = "pgrep -f '^sleep 1234'"
                #expect(try await node.shell(forked).lines.count == 1)
                try await server.stop(timeout: 0)
                #expect(try await server.awaitExit().exitCode == 137)
                try await server.remove()
                #expect(try await node.shell(forked, expecting: nil).text.isEmpty)
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

        /// Calls that only ask, and those that are refused.
        private func ask(_ server: Container) async throws {
            let shim = try await server.shim()
            let pid = try await server.pid()
            let state = try await shim.state(server.id)
            #expect(state.status == .running && state.pid == pid)
            #expect(try await shim.pids(server.id).contains(pid))
            #expect(try await shim.connect(server.id).task == pid)
            #expect(try await shim.stats(server.id).cpuNanoseconds > 0)
            try await shim.resizePty(server.id, columns: 80, rows: 25)
            try await shim.closeStdin(server.id)
            try await shim.shutdown(server.id)
            try await expectCode(alreadyExists) { try await shim.create(server.id, bundle: "/") }
            try await expectCode(failedPrecondition) { _ = try await shim.start(server.id) }
            try await expectCode(failedPrecondition) { _ = try await shim.delete(server.id) }
        }

        private func limit(_ megabytes: Int) -> String {
            #"{"memory":{"limit":\#(megabytes << 20),"swap":\#(megabytes << 20)}}"#
        }
    }
}
