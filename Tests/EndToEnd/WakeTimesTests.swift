import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Containers that wake by the clock.
    @Suite struct WakeTimesTests {
        /// The annotation `wake-at: timers`. The timer is started by a request and comes due asleep; its program sees it.
        @Test(arguments: ["timerfd", "setitimer"]) func aTimerWakes(_ kind: String) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("alarm", after: "2s", ["wake-at": "timers"]) { pod in
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", program, kind])
                try await server.awaitLog("listening")
                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                try await server.awaitSleep(1)
                try await server.awaitLog("the time has come")
                try await server.awaitShimLog("by=\"the clock (wake-at)\"")
                #expect(try await server.sleepReport().restores.count == 1)
                // Nothing is left to wait for.
                try await server.awaitSleep(2)
            }
        }

        /// The annotation `clock: stopped`: who is executed in the container later has its clocks.
        @Test func whatIsExecutedHasTheStoppedClock() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("stopped", after: "1s", ["clock": "stopped"]) { pod in
                let server = try await pod.start(
                    "server", image: "python", command: ["python3", "-c", program, "timerfd"])
                try await server.awaitLog("listening")
                try await server.awaitSleep(1)
                let path = "/ns/time"
                let ofTheInit = try await server.exec("readlink", "/proc/1\(path)").stdout
                let ofTheExec = try await server.exec("readlink", "/proc/self\(path)").stdout
                #expect(ofTheInit.hasPrefix("time:[") && ofTheExec == ofTheInit)
                #expect(try await node.run("readlink", "/proc/self\(path)").text != ofTheInit)
            }
        }

        private let program = """
            import ctypes, http.server, os, signal, struct, sys, threading
            c = ctypes.CDLL(None)
            def told(*_): print("the time has come", flush=True)
            signal.signal(signal.SIGALRM, told)
            def start():
                if sys.argv[1] == "setitimer": return signal.setitimer(signal.ITIMER_REAL, 6)
                timer = c.timerfd_create(1, 0)
                c.timerfd_settime(timer, 0, struct.pack("qqqq", 0, 0, 6, 0), None)
                threading.Thread(target=lambda: (os.read(timer, 8), os.close(timer), told()), daemon=True).start()
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    start()
                    self.send_response(200)
                    self.end_headers()
            server = http.server.HTTPServer(("", 8080), Handler)
            print("listening", flush=True)
            server.serve_forever()
            """
    }
}
