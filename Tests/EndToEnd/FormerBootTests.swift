import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    @Suite struct FormerBootTests {
        /// A node that came up again: images of containers that containerd has started anew are of no use.
        @Test(arguments: Containerd.usual) func imagesOfAFormerBootGo(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.shell(
                """
                mkdir -p /var/lib/zeropod/k8s.io/former/images
                echo former >/var/lib/zeropod/boot-id
                """)
            try await node.withSleepyPod("former") { pod in
                let server = try await pod.start("server", image: "python")
                #expect(try await node.shell("ls /var/lib/zeropod/k8s.io").text.contains("former") == false)
                #expect(try pod.containerdLog().contains("of=\"k8s.io/former\""))
                try await server.awaitSleep()
                // The next shim is of the same boot.
                try await node.withSleepyPod("latter") { other in
                    try await other.start("server", image: "python").awaitSleep()
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                }
            }
        }
    }
}
