import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// A container that cannot be restored ends, visibly and not as if nothing had been.
    @Suite struct FailedRestoreTests {
        @Test(arguments: Containerd.usual) func containerEndsAndImagesAreKept(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("broken") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                try spoilImages(of: server)
                // curl tells an orderly end (52) from a reset one (56) and from waiting in vain.
                let failure = await #expect(throws: CommandFailed.self) { try await node.get(pod.ip4, port: 8080) }
                #expect(failure?.output.status == 52, "\(failure.map(String.init(describing:)) ?? "")")
                #expect(try await server.awaitExit().exitCode == 255)
                try await server.awaitShimLog("restore failed, the container ends and its images are kept")
                let kept = node.state.appending(path: "zeropod/failed/\(server.id)")
                for file in ["restore.log", "images/core-1.img"] {
                    #expect(FileManager.default.fileExists(atPath: kept.appending(path: file).path()), "\(file)")
                }
                // Nobody listens any more, and nobody holds connections.
                let refusal = await #expect(throws: CommandFailed.self) { try await node.get(pod.ip4, port: 8080) }
                #expect(refusal?.output.status == 7)
                // As the kubelet restarts it: from the beginning.
                try await server.remove()
                let again = try await pod.start("server", image: "python")
                try await again.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                try FileManager.default.removeItem(at: kept.deletingLastPathComponent())
            }
        }

        /// Where something that hid a path of /proc is gone when the container wakes, it does not run with that path laid
        /// open.
        @Test func withoutItsMasksItDoesNotWake() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("bared") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                let unmask = "import ctypes; exit(ctypes.CDLL(None).umount2(b'/proc/keys', 0))"
                // The mount namespace is one of those that the shim holds.
                try await node.shell(
                    """
                    for place in /proc/\(try await pod.shimProcess())/fd/*; do
                        case $(readlink $place) in mnt:*) nsenter --mount=$place python3 -c "\(unmask)" && exit 0;; esac
                    done
                    exit 1
                    """)
                await #expect(throws: CommandFailed.self) { try await node.get(pod.ip4, port: 8080) }
                #expect(try await server.awaitExit().exitCode == 255)
                try await server.awaitShimLog("find what covers a masked path")
                try FileManager.default.removeItem(at: node.state.appending(path: "zeropod/failed"))
            }
        }

        /// A path of /proc that was read-only is so again. One that has gone meanwhile, as that of an interface goes with it,
        /// cannot be, and the container does not run without.
        @Test func withoutItsReadOnlyPathsItDoesNotWake() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("writable") { pod in
                let network = "nsenter --net=\(pod.networkNamespace)"
                let path = "/proc/sys/net/ipv4/conf/passing"
                try await node.shell("\(network) ip link add passing type veth peer name peer")
                let server = try await pod.start("server", image: "python") { $0.security.readOnlyPaths = [path] }
                try await server.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                #expect(try await server.exec("grep", "-c", " \(path) ro,", "/proc/self/mountinfo").stdout == "1\n")
                try await server.awaitSleep(2)
                try await node.shell("\(network) ip link delete passing")
                await #expect(throws: CommandFailed.self) { try await node.get(pod.ip4, port: 8080) }
                #expect(try await server.awaitExit().exitCode == 255)
                try await server.awaitShimLog("open_tree(read-only path)")
                try FileManager.default.removeItem(at: node.state.appending(path: "zeropod/failed"))
            }
        }

        private func spoilImages(of server: Container) throws {
            try Data("spoiled".utf8).write(to: server.snapshot.appending(path: "images/core-1.img"))
        }
    }
}
