import CRI
import Commands
import Foundation
import TestNode
import Testing

extension AlteredNodes {
    /// A disk without room for images: containers stay awake, and nothing of what was tried stays on it.
    @Suite struct DiskTests {
        private static let disk = "/var/lib/zeropod"

        /// Gives `body` a server with 64 MB of memory on a node whose images go to a disk of so many megabytes.
        private func withServer(
            diskSize: Int, after duration: String = "1h",
            _ body: (TestNode, Pod, Container) async throws -> Void
        ) async throws {
            let node = try await node(.current)
            let mount = "mount -t tmpfs -o size=\(diskSize)m none \(Self.disk)"
            try await node.altered(by: mount, back: "umount \(Self.disk)") {
                try await node.withSleepyPod("disk", after: duration) { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitLog("listening")
                    _ = try await node.get(pod.ip4, port: 8080, path: "/allocate?mb=64")
                    try await server.awaitShimLog("watching ports [8080]")
                    try await body(node, pod, server)
                }
            }
        }

        private func sleep(_ server: Container, expecting: Int32 = 0) async throws -> String {
            try await server.pod.node.shell("/opt/zeropod/bin/zeropod sleep \(server.id) 2>&1", expecting: expecting)
                .text
        }

        private func images(of server: Container) async throws -> [String] {
            let directory = "\(Self.disk)/k8s.io/\(server.id)/images"
            return try await server.pod.node.shell("ls \(directory) 2>/dev/null", expecting: nil).lines.map(String.init)
        }

        /// The proof that nothing has happened to it, and that it sleeps where there is room.
        private func expectItSleepsWithRoom(_ server: Container, counter: Int) async throws {
            let (pod, node) = (server.pod, server.pod.node)
            #expect(try await server.sleepReport().state == "running")
            #expect(try await images(of: server) == [])
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == counter)
            try await node.shell("rm -f \(Self.disk)/filler; mount -o remount,size=400m \(Self.disk)")
            _ = try await sleep(server)
            #expect(try await images(of: server).contains("pages-1.img"))
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == counter + 1)
            try await eventually("the images are gone") { try await images(of: server) == [] }
        }

        @Test func noRoomFromTheStart() async throws {
            // Images of about 75 MB, and an eighth of the disk is kept.
            try await withServer(diskSize: 80) { node, pod, server in
                let complaint = try await sleep(server, expecting: 1)
                #expect(complaint.contains("No space left on device"))
                #expect(complaint.contains("10 MB are kept for others"))
                // CRIU was not even asked: the processes have not stood still.
                #expect(try await node.shell("cat \(Self.disk)/k8s.io/*/dump.log", expecting: nil).status != 0)
                try await expectItSleepsWithRoom(server, counter: 2)
            }
        }

        @Test func itGetsFullInTheMiddle() async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                try await withServer(diskSize: 200) { node, pod, server in
                    try await node.holdCRIU()
                    try await node.lettingCRIUGo {
                        async let complaint = sleep(server, expecting: 1)
                        try await eventually("a checkpoint has begun") {
                            try await node.shell("test -d \(Self.disk)/k8s.io/\(server.id)/images", expecting: nil)
                                .status == 0
                        }
                        // Less is left than the images need.
                        try await node.shell("head -c 170M /dev/zero >\(Self.disk)/filler")
                        try await node.letCRIUGo()
                        #expect(try await complaint.contains("No space left on device"))
                    }
                    try await expectItSleepsWithRoom(server, counter: 2)
                }
            }
        }

        /// To wake takes no room.
        @Test func itIsFullWhenItWakes() async throws {
            try await withServer(diskSize: 200) { node, pod, server in
                _ = try await sleep(server)
                try await node.shell("cat /dev/zero >\(Self.disk)/filler", expecting: 1)
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 2)
                try await eventually("the images are gone") { try await images(of: server) == [] }
                _ = try await sleep(server, expecting: 1)
                try await expectItSleepsWithRoom(server, counter: 3)
            }
        }
    }

    /// Memory of what is frozen goes to swap.
    @Suite struct PageOutTests {
        @Test func memoryGoesToSwapAndComesBack() async throws {
            let node = try await node(.current)
            let swap = "/var/lib/zeropod/swap-of-the-test"
            let on = """
                dd if=/dev/zero of=\(swap) bs=1M count=256 status=none; chmod 600 \(swap)
                mkswap \(swap) >/dev/null; swapon \(swap)
                """
            try await node.altered(by: on, back: "swapoff \(swap); rm \(swap)") {
                try await node.withSleepyPod("swapped", after: "1s", ["sleep": "freeze"]) { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitLog("listening")
                    _ = try await node.get(pod.ip4, port: 8080, path: "/allocate?mb=128")
                    let pid = try await server.pid()
                    func kilobytes(_ field: String) async throws -> Int {
                        let line = try await node.shell("grep '^\(field)' /proc/\(pid)/status").text
                        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
                    }
                    try await eventually("the memory is in swap", within: .seconds(60)) {
                        try await kilobytes("VmSwap") > 128 << 10
                    }
                    #expect(try await kilobytes("RssAnon") < 16 << 10)
                    try await server.awaitShimLog("memory paged out")
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 2)
                }
            }
        }
    }
}
