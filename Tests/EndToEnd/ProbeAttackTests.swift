import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// A pod tries to have the node ask for it: of the node's own services, and as the node.
    @Suite struct ProbeAttackTests {
        /// What stands for the node's metadata service and for what listens on its loopback.
        private static let metadata = "169.254.169.254"

        @Test func nothingIsAskedInThePodsName() async throws {
            let node = try await node(.current)
            try await node.run("ip", "address", "add", "\(Self.metadata)/32", "dev", "client0")
            do {
                try await node.withPod("service", runtime: .runc) {
                    $0.namespaces.network = .node
                } _: { host in
                    let service = try await host.start("service", image: "python")
                    try await service.awaitLog("listening on 8080")
                    _ = try await node.get("127.0.0.1", port: 8080, path: "/listen?port=9090")
                    try await attack(service)
                }
            } catch {
                try await node.run("ip", "address", "del", "\(Self.metadata)/32", "dev", "client0")
                throw error
            }
            try await node.run("ip", "address", "del", "\(Self.metadata)/32", "dev", "client0")
        }

        private func attack(_ service: Container) async throws {
            let node = service.pod.node
            try await node.withSleepyPod("attacker", after: "3s", ["passive-ports": "server=9090"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("watching ports [8080]")
                _ = try await node.get(pod.ip4, port: 8080, path: "/listen?port=9090")
                for address in ["127.0.0.1", Self.metadata] { try await forge(server, to: address, port: 8080) }
                // A passive port takes requests from everywhere, the pod's own loopback too.
                _ = try await node.get("127.0.0.1", port: 9090, path: "/secret", from: .pod(pod))
                // The same in one connection to the pod that nobody has agreed to.
                try await forge(server, to: pod.ip4, port: 8080)
                try await server.awaitSleep()
                let answer = try await node.get(pod.ip4, port: 9090, path: "/secret", from: .outside)
                #expect(answer.code == 503)
                let asked = try service.log().map(\.text).filter { $0.contains("secret") }
                #expect(asked == [], "the node was asked for the pod")
                // Nor was the application, but for the request that it got itself.
                let own = try server.log().map(\.text).filter { $0.contains("secret") }
                #expect(own.count == 1 && own.allSatisfy { $0.contains("127.0.0.1 /secret") }, "\(own)")
            }
        }

        /// Puts a connection on the pod's lo that never was: a kubelet's SYN, and its request.
        private func forge(_ container: Container, to address: String, port: Int) async throws {
            let script = """
                import socket, struct
                lo = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                lo.bind(("lo", 0x0800))
                source, target = socket.inet_aton("10.88.0.1"), socket.inet_aton("\(address)")
                request = b"GET /secret HTTP/1.1\\r\\nHost: x\\r\\nUser-Agent: kube-probe/1.36\\r\\n\\r\\n"
                for flags, payload in ((2, b""), (16, b""), (16, request)):
                    tcp = struct.pack("!HHIIBBHHH", 4711, \(port), 1, 1, 0x50, flags, 1000, 0, 0) + payload
                    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + source + target
                    words = struct.unpack("!10H", ip)
                    total = sum(words)
                    total = (total & 0xffff) + (total >> 16)
                    total = (total & 0xffff) + (total >> 16)
                    ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
                    lo.send(b"\\0" * 12 + b"\\x08\\x00" + ip + tcp)
                """
            let result = try await container.exec("python3", "-c", script)
            #expect(result.exitCode == 0, "\(result)")
        }
    }
}
