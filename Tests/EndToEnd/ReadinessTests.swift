import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// What has not started yet, or is not well, does not sleep.
    @Suite struct ReadinessTests {
        private static let agent = ["--user-agent", "kube-probe/1.36"]

        /// It answers 503 until a file is there.
        private static let program = """
            import http.server, os

            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200 if os.path.exists("/tmp/ready") else 503)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
            """

        @Test(arguments: Containerd.usual) func itSleepsOnceItsProbesAreAnsweredWell(
            _ containerd: Containerd
        ) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("readiness") { pod in
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", Self.program])
                let probe = { try await node.get(pod.ip4, port: 8080, path: "/ready", options: Self.agent).code }
                try await server.awaitShimLog("watching ports [8080]")
                #expect(try await probe() == 503)
                try await eventually("it says why it stays awake") {
                    try await server.sleepReport().reasons
                        == ["it is not ready: GET /ready on port 8080 was answered 503"]
                }
                // It may have slept before it was asked for the first time.
                let slept = try await server.sleeps()
                #expect(try await probe() == 503)
                try await server.expectSleeps(slept)
                try await node.shell("touch \(server.files)/tmp/ready")
                #expect(try await probe() == 200)
                try await server.awaitSleep(slept + 1)
                let wakes = try await server.wakes()
                #expect(try await probe() == 200)
                try await server.expectWakes(wakes)
            }
        }

        @Test func theFirstSleepMayTakeLonger() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("first", ["first-scaledown-duration": "1h"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("watching ports [8080]")
                // A person may ask for it earlier. From then on the usual time holds.
                try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id)
                _ = try await node.get(pod.ip4, port: 8080)
                try await server.awaitSleep(2)
            }
        }
    }
}

extension AlteredNodes {
    /// Work in the start puts the first sleep off, and that one alone.
    @Suite struct StartUnderWayTests {
        /// It listens, and computes until a file is there, and then from when another one is. Four processes have enough of
        /// a busy machine.
        private static let program = """
            import os, socket, time
            server = socket.create_server(("", 8080))
            children = [os.fork() for _ in range(2)]
            while not os.path.exists("/tmp/done"): pass
            while not os.path.exists("/tmp/again"): time.sleep(1)
            while True: pass
            """

        @Test(arguments: Containerd.usual) func itSleepsWhenTheWorkIsDone(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withPolicy("shortest-idle = 100ms\\nlongest-start = 1h\\n") {
                try await node.withSleepyPod("start", after: "1s") { pod in
                    let server = try await pod.start(
                        "server", image: "python", command: ["python3", "-c", Self.program])
                    try await eventually("it says why it stays awake") {
                        try await server.sleepReport().reasons == [
                            "its processes are at work, and it has not slept yet: it may when they are done, or have"
                                + " run for 3600 s"
                        ]
                    }
                    try await server.expectSleeps(0)
                    try await node.shell("touch \(server.files)/tmp/done")
                    try await server.awaitSleep()
                    try await node.shell("touch \(server.files)/tmp/again")
                    try await node.run("/opt/zeropod/bin/zeropod", "wake", server.id)
                    try await server.awaitSleep(2)
                }
            }
        }
    }
}
