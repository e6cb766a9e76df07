import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// Whoever needs the container while a checkpoint is under way wins. A stand-in before criu makes checkpoints wait
    /// for the test, so that nothing depends on who is faster.
    @Suite struct HeldCheckpointTests {
        /// As long as it runs it accepts; nothing is in the way of the request.
        @Test(arguments: Containerd.allCases) func requestWins(_ containerd: Containerd) async throws {
            try await node(containerd).withHeldCheckpoint { pod, server, letGo in
                let answer = try await pod.node.get(pod.ip6, port: 8080, from: .outside)
                #expect(try answer.json(ServerState.self).counter == 1)
                try await letGo()
                try await server.awaitShimLog("checkpoint given up")
                // It may be asleep again by now.
                #expect(try server.wakes() == 0)
            }
        }

        @Test func requestThatWaitsForTheRelayWins() async throws {
            let node = try await node(.current)
            try await node.withHeldCheckpoint(["handover": "relay"]) { pod, server, letGo in
                async let answer = pod.node.get(pod.ip6, port: 8080, from: .outside)
                try await eventually("the request is held") { try await pod.waiting() == 1 }
                try await letGo()
                #expect(try await answer.json(ServerState.self).counter == 1)
                try await server.awaitShimLog("checkpoint given up")
                // It may be asleep again by now.
                #expect(try server.wakes() == 0)
            }
        }

        /// Between the last look and the moment at which it stands still the application begins to listen: on another
        /// port, and on one that it has, for addresses that it did not have.
        @Test(arguments: [("::", 9090), ("::", 8080)])
        func aListenerThatComesLateWins(_ address: String, _ port: Int) async throws {
            let program = """
                import os, socket, threading, time
                def serve(listener):
                    while True:
                        client, _ = listener.accept()
                        client.recv(65536)
                        client.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nlate")
                        client.close()
                first = socket.create_server(("0.0.0.0", 8080))
                while not os.path.exists("/tmp/go"):
                    time.sleep(0.01)
                late = socket.create_server(("\(address)", \(port)), family=socket.AF_INET6)
                os.mknod("/tmp/gone")
                serve(late)
                """
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                try await node.holdCRIU()
                try await node.withSleepyPod("late") { pod in
                    let server = try await pod.start("server", image: "python", command: ["python3", "-c", program])
                    try await server.awaitCheckpointBegin()
                    try await node.lettingCRIUGo {
                        let files = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(server.id)/rootfs/tmp"
                        try await node.shell("touch \(files)/go; until [ -e \(files)/gone ]; do sleep 0.01; done")
                    }
                    try await server.awaitShimLog("checkpoint given up because it listens on ports [\(port)] now")
                    try await server.awaitSleep()
                    #expect(try await node.get(pod.ip6, port: port).text == "late")
                    #expect(try server.wakes() == 1)
                }
            }
        }

        @Test func execWins() async throws {
            try await node(.current).withHeldCheckpoint { _, server, letGo in
                async let exec = server.exec("echo", "won")
                // containerd says so right before it asks the shim.
                try await eventually("the exec is asked for") {
                    try server.pod.containerdLog().contains("ExecSync for \\\"\(server.id)")
                }
                try await letGo()
                #expect(try await exec.stdout == "won\n")
            }
        }

        @Test(arguments: [0, 10]) func endWins(_ timeout: Int) async throws {
            try await node(.current).withHeldCheckpoint { _, server, letGo in
                async let stop: Void = server.stop(timeout: timeout)
                try await eventually("the stop is asked for") {
                    try server.pod.containerdLog().contains("StopContainer for \\\"\(server.id)")
                }
                try await letGo()
                try await stop
                #expect(try await server.awaitExit().exitCode == (timeout == 0 ? 137 : 7))
            }
        }
    }
}
