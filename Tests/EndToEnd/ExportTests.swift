import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// containerd's Checkpoint call, and containers that are created from what it made: images for somebody else, which
    /// are complete although a sleep's own images are not.
    @Suite struct ExportTests {
        /// As a person does it with ctr: pause, checkpoint, resume; then a container of another name, from the images.
        @Test(arguments: Containerd.allCases, [true, false])
        func containerLivesOnUnderAnotherName(_ containerd: Containerd, _ isAsleep: Bool) async throws {
            let node = try await node(containerd)
            let duration = isAsleep ? "300ms" : "1h"
            let annotations = sleepy(after: duration).map { "--annotation \($0)=\($1)" }.joined(separator: " ")
            let image = "docker.io/test/export:1"
            try await node.shell(
                "\(ctr) run -d --runtime io.containerd.zeropod.v2 \(annotations) zeropod.test/redis:1 original")
            do {
                try await eventually("redis answers") {
                    try await node.shell("\(inNetwork(of: "original")) redis-cli set key kept", expecting: nil).text
                        .contains("OK")
                }
                if isAsleep { try await awaitNoProcess(on: node) }
                try await node.shell("\(ctr) containers checkpoint --task --rw --image original \(image)")
                // The first one goes on, and sleeps again.
                #expect(try await node.shell("\(inNetwork(of: "original")) redis-cli get key").trimmed == "kept")
                if isAsleep { try await awaitNoProcess(on: node) }
                try await node.shell("\(ctr) tasks delete --force original; \(ctr) containers delete original")

                try await node.shell("\(ctr) containers restore --live --rw copy \(image)")
                // ctr's own networks come without lo, with the stock shim too.
                let answer = try await node.shell(
                    "\(inNetwork(of: "copy")) sh -c 'ip link set lo up; redis-cli get key'")
                #expect(answer.trimmed == "kept")
                if isAsleep {
                    try await awaitNoProcess(on: node)
                    #expect(try await node.shell("\(ctr) tasks list").text.contains("RUNNING"))
                }
            } catch {
                Issue.record(error)
            }
            for name in ["original", "copy"] {
                try await node.shell(
                    "\(ctr) tasks delete --force \(name); \(ctr) containers delete \(name)", expecting: nil)
            }
            try await node.shell("\(ctr) images remove \(image); umount /run/original /run/copy", expecting: nil)
            let left = try await node.lastingLeftovers()
            #expect(left == [])
        }

        /// Without the option to leave it running.
        @Test(arguments: [true, false]) func containerEnds(_ isAsleep: Bool) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("leaving", after: isAsleep ? "300ms" : "1h") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                if isAsleep { try await server.awaitSleep() }
                try await server.shim().checkpoint(server.id, images: "/run/leaving", exit: true)
                #expect(try await server.awaitExit().exitCode == 137)
                // Complete: with the file systems in memory, of which a sleep's images have none.
                let images = try await node.shell("ls /run/leaving; rm -r /run/leaving").text
                #expect(images.contains("tmpfs-dev-"))
                #expect(images.contains("descriptors.json"))
            }
        }

        /// The kubelet's checkpoint API, with which containerd 2 makes an archive.
        @Test func kubeletGetsAnArchive() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("archive") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                try await node.cri.checkpointContainer(server.id, to: "/run/archive.tar")
                let list = try await node.shell("tar -tf /run/archive.tar; rm /run/archive.tar").text
                #expect(list.contains("checkpoint/core-1.img"))
                #expect(list.contains("checkpoint/pages-1.img"))
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                try await server.awaitSleep(2)
            }
        }

        @Test func failedExportHarmsNobody() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("broken") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                // Where images should go is a file: the container goes on.
                try await node.shell("touch /run/file")
                await #expect(throws: CallFailed.self) {
                    try await server.shim().checkpoint(server.id, images: "/run/file/images")
                }
                try await node.shell("rm /run/file")
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            }
        }

        private let ctr = "ctr -n k8s.io"

        /// Its network is only reachable through the process, which goes when it sleeps: hold it by a mount.
        private func inNetwork(of name: String) -> String {
            """
            pid=$(\(ctr) tasks list | awk '$1 == "\(name)" { print $2 }'); touch /run/\(name);
            mountpoint -q /run/\(name) || mount --bind /proc/$pid/ns/net /run/\(name); nsenter --net=/run/\(name)
            """
        }

        private func awaitNoProcess(on node: TestNode) async throws {
            try await eventually("no process of redis is left") {
                try await node.shell("pgrep -x redis-server", expecting: nil).text.isEmpty
            }
        }
    }
}
