import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Memory that processes share by a key, as Postgres does: it is the IPC namespace's, which is kept.
    @Suite struct SystemVMemoryTests {
        /// Also a segment that ends with its last user, and has been removed already.
        @Test(arguments: [false, true]) func whatIsCountedThereGoesOn(_ isRemoved: Bool) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("shared") { pod in
                let program = isRemoved ? counter.replacing("# removed", with: "c.shmctl(i, 0, None)") : counter
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", program])
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    #expect(try await server.processes() == [])
                    #expect(try await node.get(pod.ip4, port: 8080).text == "\(cycle) 1")
                }
            }
        }

        /// A server that counts in shared memory alone.
        private let counter = """
            import ctypes, http.server, socket
            c = ctypes.CDLL(None)
            c.shmat.restype = ctypes.c_void_p
            i = c.shmget(0x5a45, 1 << 20, 0o1600)
            n = ctypes.c_long.from_address(c.shmat(i, None, 0))
            # removed
            def attached():
                status = (ctypes.c_char * 112)()
                c.shmctl(i, 2, status)
                return int.from_bytes(status[88:96], "little")
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    n.value += 1
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(f"{n.value} {attached()}".encode())
            class Server(http.server.HTTPServer):
                address_family = socket.AF_INET6
            Server(("::", 8080), Handler).serve_forever()
            """
    }
}
