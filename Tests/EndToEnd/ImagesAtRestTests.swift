import CRI
import Commands
import Foundation
import TestNode
import Testing

/// Whether the kernel can encrypt directories at all, and the machine have disks for that.
enum Encryption {
    static let isPossible = ["/sys/fs/ext4/features/encryption", "/dev/loop-control"].allSatisfy {
        FileManager.default.fileExists(atPath: $0)
    }
    static let needs = Comment("needs a kernel with CONFIG_FS_ENCRYPTION, and loop devices")
}

extension AlteredNodes {
    @Suite(.enabled(if: Encryption.isPossible, Encryption.needs)) struct ImagesAtRestTests {
        private static let secret = "known-to-nobody-but-the-container"

        /// Gives `body` a server that has the secret in its memory.
        private func withServer(
            encrypted: Bool, on node: TestNode, after duration: String = "500ms",
            _ body: (Pod, Container) async throws -> Void
        ) async throws {
            try await node.withPolicy("shortest-idle = 100ms\\nencrypt-images = \(encrypted ? "on" : "off")\\n") {
                try await node.withSleepyPod("encrypted", after: duration) { pod in
                    let server = try await pod.start("server", image: "python") {
                        $0.environment["GREETING"] = Self.secret
                    }
                    try await body(pod, server)
                }
            }
        }

        private func imagesWithTheSecret(on node: TestNode) async throws -> Int {
            try await node.shell("grep -rlF \(Self.secret) /var/lib/zeropod", expecting: nil).lines.count
        }

        /// What a thief of the disk reads.
        @Test(arguments: [true, false]) func theDiskHasNoMemoryInTheClear(isEncrypted: Bool) async throws {
            let node = try await node(.current)
            try await node.withDisk(thatEncrypts: true) { disk in
                try await withServer(encrypted: isEncrypted, on: node) { pod, server in
                    try await server.awaitSleep()
                    #expect(try await imagesWithTheSecret(on: node) == 1, "the node reads its images")
                    try await node.shell("sync --file-system /var/lib/zeropod")
                    let found = try await Command.run(["grep", "-qF", Self.secret, disk.path()], expecting: nil)
                    #expect(found.status == (isEncrypted ? 1 : 0))
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                }
            }
        }

        /// A wake reads memory in several ways: at once, and by the page server.
        @Test func whatIsEncryptedWakesLazily() async throws {
            let node = try await node(.current)
            try await node.withDisk(thatEncrypts: true) { _ in
                try await withServer(encrypted: true, on: node, after: "1h") { pod, server in
                    try await server.awaitLog("listening")
                    _ = try await node.get(pod.ip4, port: 8080, path: "/allocate?mb=96")
                    try await server.awaitShimLog("watching ports [8080]")
                    for cycle in 1...2 {
                        try await node.shell("/opt/zeropod/bin/zeropod sleep \(server.id)")
                        #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == cycle + 1)
                        try await server.awaitShimLog("all memory is there", times: cycle)
                    }
                }
            }
        }

        @Test func whereNothingCanBeEncryptedItIsFrozen() async throws {
            let node = try await node(.current)
            try await node.withDisk(thatEncrypts: false) { _ in
                try await withServer(encrypted: true, on: node) { pod, server in
                    try await server.awaitFreeze()
                    let reasons = try await server.sleepReport().reasons.joined()
                    #expect(reasons.contains("images are to be encrypted (encrypt-images = on), and cannot be: "))
                    #expect(reasons.contains("Operation not supported; 'tune2fs -O encrypt DEVICE' lets ext4 encrypt"))
                    #expect(try await imagesWithTheSecret(on: node) == 0)
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                }
            }
        }

        /// As after a reboot: a file system that is mounted anew knows none of its keys.
        @Test func withoutItsKeyTheContainerEnds() async throws {
            let node = try await node(.current)
            try await node.withDisk(thatEncrypts: true) { _ in
                try await withServer(encrypted: true, on: node) { pod, server in
                    try await server.awaitSleep()
                    try await node.shell(
                        "umount /var/lib/zeropod; mount -o loop /var/lib/zeropod/disk /var/lib/zeropod")
                    #expect(try await imagesWithTheSecret(on: node) == 0)
                    await #expect(throws: CommandFailed.self) { try await node.get(pod.ip4, port: 8080) }
                    #expect(try await server.awaitExit().exitCode == 255)
                    try await server.awaitShimLog("restore failed, the container ends and its images are kept")
                    // For a person, who can read nothing of it, until the next boot.
                    let failed = "/var/lib/zeropod/failed"
                    #expect(try await node.shell("ls \(failed)").trimmed == server.id)
                    try await node.shell("echo former >/var/lib/zeropod/boot-id")
                    try await node.withSleepyPod("latter") { pod in
                        _ = try await pod.start("server", image: "python")
                        #expect(try await node.shell("ls \(failed)").text == "")
                    }
                }
            }
        }
    }
}
