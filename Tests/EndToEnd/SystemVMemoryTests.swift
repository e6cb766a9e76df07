import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Memory that processes share by a key, as Postgres does. CRIU restores it only together with an IPC namespace of
    /// the container's own, and a pod's is kept.
    @Suite struct SystemVMemoryTests {
        @Test func sharedMemoryKeepsItAwake() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("shared") { pod in
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", counter])
                try await server.awaitShimLog("checkpoint failed, the container runs on")
                try await server.awaitShimLog("SysVIPC shmem map")
                #expect(try await node.get(pod.ip4, port: 8080).text == "1")
                #expect(try await node.get(pod.ip6, port: 8080).text == "2")
                try await server.expectSleeps(0)
            }
        }

        /// A server that counts in shared memory alone.
        private let counter = """
            import ctypes, http.server, socket
            c = ctypes.CDLL(None)
            c.shmat.restype = ctypes.c_void_p
            i = c.shmget(0x5a45, 1 << 20, 0o1600)
            n = ctypes.c_long.from_address(c.shmat(i, None, 0))
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    n.value += 1
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(str(n.value).encode())
            class Server(http.server.HTTPServer):
                address_family = socket.AF_INET6
            Server(("::", 8080), Handler).serve_forever()
            """
    }
}
