import CRI
import Commands
import Foundation
import TestNode
import Testing

/// What every pod does under every runtime. With the stock one this tries the harness itself: what fails there is not
/// the shim's fault.
@Suite(.nodes("basics")) struct PodBasicsTests {
    @Test(arguments: Setup.all) func reachesAPodFromEverywhere(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        #expect(try await node.cri.version().version.hasPrefix(setup.containerd.rawValue))
        try await node.withPod("web", runtime: setup.runtime) { pod in
            let server = try await pod.start("server", image: "python", environment: ["GREETING": "hello"])
            try await server.awaitLog("listening")
            var counter = 0
            for address in [pod.ip4, pod.ip6] {
                for origin in [Origin.node, .outside, .pod(pod)] {
                    counter += 1
                    let state = try await node.get(address, port: 8080, from: origin).json(ServerState.self)
                    #expect(state.counter == counter)
                    #expect(state.greeting == "hello")
                    #expect(state.pid == 1)
                }
            }
            try await server.awaitLog("request \(counter) ")
        }
    }

    @Test(arguments: Setup.all) func execReturnsOutputAndStatus(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("exec", runtime: setup.runtime) { pod in
            let container = try await pod.start("idle", image: "busybox", command: ["sleep", "1000"])
            let result = try await container.exec("sh", "-c", "echo out; echo err >&2; exit 7")
            #expect(result.stdout == "out\n")
            #expect(result.stderr == "err\n")
            #expect(result.exitCode == 7)
            await #expect(throws: CallFailed.self) { try await container.exec("/no/such/program") }
        }
    }

    @Test(arguments: Setup.all) func logKeepsStreamsApartAndIsReopened(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("logs", runtime: setup.runtime) { pod in
            let script = "echo first; echo second >&2; read line < /tmp/go; echo third"
            let container = try await pod.start(
                "talker", image: "busybox", command: ["sh", "-c", "mkfifo /tmp/go; \(script)"])
            try await container.awaitLog("second")
            #expect(Set(try container.log().map { "\($0.stream) \($0.text)" }) == ["stdout first", "stderr second"])
            // As the kubelet rotates: rename, then reopen.
            try container.rotateLog()
            try await node.cri.reopenContainerLog(container.id)
            _ = try await container.exec("sh", "-c", "echo > /tmp/go")
            try await container.awaitLog("third")
            #expect(try container.log().map(\.text) == ["third"])
        }
    }

    @Test(arguments: Setup.all) func exitStatusIsReported(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("exit", runtime: setup.runtime) { pod in
            let container = try await pod.start("brief", image: "busybox", command: ["sh", "-c", "exit 3"])
            #expect(try await container.awaitExit().exitCode == 3)
            try await container.remove()
            let stubborn = try await pod.start("stubborn", image: "busybox", command: ["sleep", "1000"])
            // A first process without a handler does not heed SIGTERM.
            try await stubborn.stop(timeout: 1)
            #expect(try await stubborn.status().exitCode == 137)
        }
    }

    @Test(arguments: Setup.all) func limitsAreSetAndUpdated(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("limits", runtime: setup.runtime) { pod in
            let container = try await pod.start("idle", image: "busybox", command: ["sleep", "1000"]) {
                $0.resources.memoryLimit = 64 << 20
            }
            #expect(try await container.memoryLimit() == 64 << 20)
            var resources = Resources()
            resources.memoryLimit = 96 << 20
            try await node.cri.updateContainerResources(container.id, resources)
            #expect(try await container.memoryLimit() == 96 << 20)
            let stats = try await container.stats()
            #expect(stats.usageBytes > 0)
            #expect(stats.cpuNanoseconds > 0)
            #expect(try await container.processes() == [container.pid()])
            #expect(try await node.privateMemory(ofProcess: pod.shimProcess()) > 0)
        }
    }

    /// Whether the kernel ends the first process, or one that it started: a pod's owner wants to know why.
    @Test(arguments: Setup.all) func wantOfMemoryIsTheReasonOfTheEnd(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("hungry", runtime: setup.runtime) { pod in
            let eater = "python3 -c 'b\"x\" * (1 << 30)'"
            for (name, script, status) in [("first", "exec \(eater)", 137), ("second", "\(eater); exit 5", 5)] {
                let container = try await pod.start(name, image: "python", command: ["sh", "-c", script]) {
                    $0.resources.memoryLimit = 32 << 20
                }
                #expect(try await container.awaitExit().exitCode == status)
                try await eventually("the reason is told") { try await container.status().reason == "OOMKilled" }
            }
            let healthy = try await pod.start("healthy", image: "busybox", command: ["true"])
            #expect(try await healthy.awaitExit().reason == "Completed")
        }
    }

    @Test(arguments: Setup.all) func containersOfAPodShareItsNetwork(_ setup: Setup) async throws {
        let node = try await node(setup.containerd)
        try await node.withPod("pair", runtime: setup.runtime) { pod in
            try await pod.start("redis", image: "redis").awaitLog("Ready to accept connections")
            let web = try await pod.start("nginx", image: "nginx")
            try await eventually("nginx answers") { try await node.get(pod.ip6, port: 80).text == "hello from nginx\n" }
            let answer = try await web.exec("redis-cli", "-h", "::1", "incr", "visits")
            #expect(answer.stdout == "1\n")
            #expect(try await node.redis(pod.ip4, "incr", "visits", from: .outside) == "2")
        }
    }
}
