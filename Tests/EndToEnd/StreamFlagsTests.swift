import Commands
import TestNode
import Testing

extension SleepingPods {
    /// A program that has made its stdout non-blocking, as event loops do, finds it so after a sleep.
    @Suite struct StreamFlagsTests {
        @Test(arguments: [true, false]) func stdoutStaysAsItWas(_ isBlocking: Bool) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("flags") { pod in
                let program = """
                    import os, runpy
                    os.set_blocking(1, \(isBlocking ? "True" : "False"))
                    runpy.run_path("/usr/bin/server.py", run_name="__main__")
                    """
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", program])
                for sleep in 1...2 {
                    try await server.awaitSleep(sleep)
                    _ = try await node.get(pod.ip4, port: 8080)
                    let flags = try await server.exec("sh", "-c", "grep flags /proc/1/fdinfo/1").stdout
                    let octal = Int(flags.split(separator: "\t").last?.dropLast() ?? "", radix: 8) ?? -1
                    let nonBlocking = 0o4000
                    #expect((octal & nonBlocking == 0) == isBlocking, "\(flags)")
                }
            }
        }
    }
}
