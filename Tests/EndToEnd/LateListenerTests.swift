import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// Between the last look and the moment at which it stands still the application begins to listen: what it listens on
    /// then is kept like all else, and wakes.
    @Suite struct LateListenerTests {
        /// On another port, and on one that it has, for addresses that it did not have.
        @Test(arguments: [9090, 8080]) func aConnectionThereWakes(_ port: Int) async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                try await node.holdCRIU()
                try await node.withSleepyPod("late") { pod in
                    let server = try await startAndListen(port, in: pod)
                    try await server.awaitSleep()
                    #expect(try await node.get(pod.ip6, port: port).text == "late")
                    try await server.expectWakes(1)
                }
            }
        }

        /// criu refuses before anybody has looked, and the container is frozen instead.
        @Test(arguments: [9090, 8080]) func aConnectionThereThaws(_ port: Int) async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU(.refusing) {
                try await node.holdCRIU()
                try await node.withSleepyPod("late-frozen") { pod in
                    let server = try await startAndListen(port, in: pod)
                    try await server.awaitFreeze()
                    #expect(try await node.get(pod.ip6, port: port).text == "late")
                    try await server.expectThaws(1)
                }
            }
        }

        /// Its checkpoint waits for criu until it listens on one more socket.
        private func startAndListen(_ port: Int, in pod: Pod) async throws -> Container {
            let program = """
                import os, socket, time
                first = socket.create_server(("0.0.0.0", 8080))
                while not os.path.exists("/tmp/go"):
                    time.sleep(0.01)
                late = socket.create_server(("::", \(port)), family=socket.AF_INET6)
                os.mknod("/tmp/gone")
                while True:
                    client, _ = late.accept()
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nlate")
                    client.close()
                """
            let server = try await pod.start("server", image: "python", command: ["python3", "-c", program])
            try await server.awaitCheckpointBegin()
            try await pod.node.lettingCRIUGo {
                let files = "\(server.files)/tmp"
                try await pod.node.shell("touch \(files)/go; until [ -e \(files)/gone ]; do sleep 0.01; done")
            }
            return server
        }
    }
}
