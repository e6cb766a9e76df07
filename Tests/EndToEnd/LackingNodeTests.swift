import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// Nodes that lack what a sleep needs: containers run there as under the stock runtime, and the shim's log says why they
    /// never sleep.
    @Suite struct LackingNodeTests {
        /// Something that is missing: how to take it from a node, how to give it back, and what the log must say of it.
        struct Lack: Sendable, CustomStringConvertible {
            let description: String
            let take: String
            let giveBack: String
            let complaints: [String]
        }

        static let lacks = [
            Lack(
                description: "no criu", take: "mv /usr/sbin/criu /usr/sbin/criu.hidden",
                giveBack: "mv /usr/sbin/criu.hidden /usr/sbin/criu",
                complaints: ["will never sleep", "criu is not installed"]),
            // A stand-in: Debian 12's criu by its version, which is all that is asked of it.
            Lack(
                description: "stand-in for criu 3.17",
                take: """
                    mv /usr/sbin/criu /usr/sbin/criu.hidden
                    printf '#!/bin/sh\\necho Version: 3.17.1\\n' >/usr/sbin/criu
                    chmod +x /usr/sbin/criu
                    """,
                giveBack: "mv /usr/sbin/criu.hidden /usr/sbin/criu",
                complaints: ["will never sleep", "/usr/sbin/criu is version 3.17", "needs criu 4.1 or later"]),
            Lack(
                description: "images directory that cannot be written",
                take: "mount -t tmpfs -o ro none /var/lib/zeropod", giveBack: "umount /var/lib/zeropod",
                complaints: ["checkpoint failed, the container runs on", "/var/lib/zeropod", "Read-only file system"]),
            Lack(
                description: "images directory that is full",
                take: "mount -t tmpfs -o size=256k none /var/lib/zeropod", giveBack: "umount /var/lib/zeropod",
                complaints: ["checkpoint failed, the container runs on", "No space left on device"]),
        ]

        @Test(arguments: lacks) func containerRunsAndNeverSleeps(_ lack: Lack) async throws {
            let node = try await node(.current)
            try await node.altered(by: lack.take, back: lack.giveBack) {
                try await node.withSleepyPod("lacking", after: "200ms") { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitLog("listening")
                    let pid = try await server.pid()
                    for complaint in lack.complaints { try await server.awaitShimLog(complaint) }
                    for (number, address) in [pod.ip4, pod.ip6].enumerated() {
                        #expect(try await node.get(address, port: 8080).json(ServerState.self).counter == number + 1)
                    }
                    #expect(try await server.exec("true").exitCode == 0)
                    try await server.expectSleeps(0)
                    #expect(try await server.processes() == [pid])
                    #expect(try await server.status().state == .running)
                }
            }
            // The proof that the container would have slept: the next one does.
            try await node.withSleepyPod("complete", after: "200ms") { pod in
                try await pod.start("server", image: "python").awaitSleep()
            }
        }

        /// What a node lacks that the first shim can make up for.
        @Test func shimMountsTheMissingBPFFileSystem() async throws {
            let node = try await node(.current)
            try await node.shell("umount /sys/fs/bpf")
            try await node.withSleepyPod("unmounted", after: "200ms") { pod in
                try await pod.start("server", image: "python").awaitSleep()
            }
            #expect(try await node.shell("stat -f -c %T /sys/fs/bpf").trimmed == "bpf_fs")
        }
    }
}
