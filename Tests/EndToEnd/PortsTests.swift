import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Which containers of a pod sleep, and by which ports they wake.
    @Suite struct PortsTests {
        @Test(arguments: Containerd.usual) func onlyTheNamedContainerSleeps(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("pair", ["container-names": "web"]) { pod in
                let redis = try await pod.start("redis", image: "redis")
                let web = try await pod.start("web", image: "python")
                let pid = try await redis.pid()
                for cycle in 1...3 {
                    try await web.awaitSleep(cycle)
                    // Its neighbour is served without waking it.
                    #expect(try await node.redis(pod.ip4, "incr", "visits") == "\(cycle)")
                    try await web.expectWakes(cycle - 1)
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == cycle)
                }
                try await redis.expectSleeps(0)
                #expect(try await redis.processes() == [pid])
                try await redis.awaitShimLog("stays awake: it is not among zeropod.ctrox.dev/container-names")
            }
        }

        @Test(arguments: Containerd.usual) func bothSleepEachForItself(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("both") { pod in
                let redis = try await pod.start("redis", image: "redis")
                let web = try await pod.start("web", image: "python")
                for cycle in 1...3 {
                    try await web.awaitSleep(cycle)
                    try await redis.awaitSleep(cycle)
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == cycle)
                    try await redis.expectWakes(cycle - 1, "a connection to its neighbour woke it")
                    #expect(try await node.redis(pod.ip6, "incr", "visits") == "\(cycle)")
                }
            }
        }

        /// Only connections to the ports of the map count, although the application listens on another one, too; and it
        /// stays awake until it has listened on all of them.
        @Test func portsMapSaysWhichPortsCount() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("map", after: "2s", ["ports-map": "web=8080,9090;other=1"]) { pod in
                let web = try await pod.start("web", image: "python")
                try await web.awaitShimLog("watching ports [8080, 9090]")
                try await eventually("it waits for the other one") {
                    try await web.sleepReport().reasons.contains { $0.hasSuffix("ports-map names: 9090") }
                }
                try await web.expectSleeps(0)
                _ = try await node.get(pod.ip4, port: 8080, path: "/listen?port=9090")
                _ = try await node.get(pod.ip4, port: 8080, path: "/listen?port=9191")
                try await web.awaitSleep()
                // The application itself will accept on both.
                #expect(try await pod.redirects() == [8080: false, 9090: false])
                // A port that does not count keeps nothing awake, and wakes like all others.
                #expect(try await node.get(pod.ip4, port: 9191).json(ServerState.self).port == 9191)
                try await web.expectWakes(1)
                try await web.awaitSleep(2)
                #expect(try await node.get(pod.ip4, port: 9090).json(ServerState.self).port == 9090)
                try await web.expectWakes(2)
            }
        }

        /// Who asks there is refused, as by a process that runs, and the container wakes: it may be about to listen.
        @Test(arguments: ["checkpoint", "freeze"]) func aPortOnWhichNobodyListensWakes(_ way: String) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("refused", ["sleep": way]) { pod in
                let web = try await pod.start("web", image: "python")
                for (cycle, address) in [pod.ip4, pod.ip6].enumerated() {
                    try await eventually("it sleeps") {
                        ["asleep", "frozen"].contains(try await web.sleepReport().state)
                    }
                    let sleeper = try await web.sleepReport()
                    #expect(sleeper.restores.count + sleeper.thaws == cycle)
                    let client = try await node.run(
                        "bash", "-c", "exec 3<>/dev/tcp/\(address)/9999", expecting: 1)
                    #expect(client.errorText.contains("refused"))
                    try await eventually("it has woken") {
                        let report = try await web.sleepReport()
                        return report.restores.count + report.thaws == cycle + 1
                    }
                }
            }
        }

        /// As long as it does not listen it has not started: it would sleep before it can serve anybody.
        @Test func portsOfTheMapAreWaitedFor() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("starting", ["ports-map": "web=8080"]) { pod in
                let web = try await pod.start(
                    "web", image: "python", command: ["sh", "-c", "sleep 3; exec python3 /usr/bin/server.py"])
                try await web.awaitSleep()
                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
            }
        }

        @Test(arguments: Containerd.usual) func portsAreFoundAndFoundAgain(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("found") { pod in
                let web = try await pod.start("web", image: "python")
                try await web.awaitShimLog("watching ports [8080]")
                try await web.awaitSleep()
                let state = try await node.get(pod.ip4, port: 8080, path: "/listen?port=9090").json(ServerState.self)
                #expect(state.counter == 1)
                try await web.awaitShimLog("watching ports [8080, 9090]")
                for (number, port) in [9090, 8080, 9090].enumerated() {
                    try await web.awaitSleep(number + 2)
                    #expect(try await node.get(pod.ip6, port: port).json(ServerState.self).counter == number + 2)
                }
            }
        }
    }
}
