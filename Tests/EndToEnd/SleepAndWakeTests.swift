import CRI
import Commands
import TestNode
import Testing

/// Where a client of a pod may be, and by which address it reaches it.
enum Way: String, CaseIterable, Sendable {
    case ipv4, ipv6, ipv4FromOutside, ipv6FromOutside, ownAddress, loopback4, loopback6

    func address(of pod: Pod) -> (String, Origin) {
        switch self {
        case .ipv4: (pod.ip4, .node)
        case .ipv6: (pod.ip6, .node)
        case .ipv4FromOutside: (pod.ip4, .outside)
        case .ipv6FromOutside: (pod.ip6, .outside)
        case .ownAddress: (pod.ip6, .pod(pod))
        case .loopback4: ("127.0.0.1", .pod(pod))
        case .loopback6: ("::1", .pod(pod))
        }
    }
}

extension SleepingPods {
    /// Containers fall asleep, and the first connection finds them as they were, whichever way it comes.
    @Suite struct SleepAndWakeTests {
        @Test(arguments: Containerd.allCases) func pythonKeepsItsState(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("python") { pod in
                let server = try await pod.start("server", image: "python", environment: ["GREETING": "good morning"])
                var (sleeps, pid) = (0, try await server.pid())
                var before: ServerState?
                for way in Way.allCases {
                    sleeps += 1
                    try await server.awaitSleep(sleeps)
                    try await expectAsleep(server, pid: pid)
                    let (address, origin) = way.address(of: pod)
                    let state = try await node.get(address, port: 8080, from: origin).json(ServerState.self)
                    #expect(state.counter == sleeps, "\(way)")
                    #expect(state.offset == (sleeps - 1) * 4, "the open file's offset, \(way)")
                    #expect(state.greeting == "good morning")
                    #expect(state.directory == "/srv")
                    #expect(state.pid == 1)
                    #expect(state.port == 8080)
                    #expect(state.descriptors == before?.descriptors ?? state.descriptors)
                    before = state
                    pid = try await server.pid()
                }
            }
        }

        @Test(arguments: Containerd.usual) func nginxAnswersAfterASleep(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("nginx") { pod in
                let server = try await pod.start("nginx", image: "nginx")
                for (number, way) in Way.allCases.enumerated() {
                    try await server.awaitSleep(number + 1)
                    try await expectAsleep(server, pid: try await server.pid())
                    let (address, origin) = way.address(of: pod)
                    let reply = try await node.get(address, port: 80, from: origin)
                    #expect(reply.text == "hello from nginx\n", "\(way)")
                    // Master and worker both, beside the one that looks, without which they might sleep again by now.
                    let seen = try await server.exec("ls", "/proc").stdout.split(whereSeparator: \.isWhitespace)
                    #expect(seen.count { Int($0) != nil } >= 3)
                }
            }
        }

        @Test(arguments: Containerd.usual) func redisKeepsItsData(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("redis") { pod in
                let server = try await pod.start("redis", image: "redis")
                for (number, way) in Way.allCases.enumerated() {
                    try await server.awaitSleep(number + 1)
                    try await expectAsleep(server, pid: try await server.pid())
                    let (address, origin) = way.address(of: pod)
                    #expect(try await node.redis(address, "incr", "visits", from: origin) == "\(number + 1)", "\(way)")
                }
            }
        }

        @Test(arguments: Containerd.usual) func memoryIsGivenBack(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("memory", after: "1s") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                _ = try await node.get(pod.ip4, port: 8080, path: "/allocate?mb=64")
                #expect(try await server.stats().workingSetBytes > 64 << 20)
                try await server.awaitSleep()
                // Killed processes give their memory back when they get to it: CRIU does not wait for that.
                try await eventually("its memory is free") { try await server.stats().workingSetBytes < 16 << 20 }
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 2)
                // It comes while the container runs already.
                try await eventually("its memory is back") { try await server.stats().workingSetBytes > 64 << 20 }
            }
        }

        /// Awake, nothing of ours stands between a client and the application.
        @Test(arguments: Containerd.usual) func nextConnectionGoesStraight(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("straight", after: "3s", ["handover": "relay"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                #expect(try await pod.redirects() == [8080: true])
                let asleep = try await pod.steered()
                // From outside: what comes from the node may be a probe, and is received elsewhere.
                let first = try await node.get(pod.ip4, port: 8080, from: .outside).json(ServerState.self)
                let woken = try await pod.steered()
                #expect(woken > asleep)
                #expect(try await pod.redirects() == [8080: false])
                let second = try await node.get(pod.ip4, port: 8080).json(ServerState.self)
                let third = try await node.get(pod.ip6, port: 8080, from: .outside).json(ServerState.self)
                #expect([first, second, third].map(\.counter) == [1, 2, 3])
                #expect(third.client == "fd00:99::2")
                #expect(try await pod.steered() == woken)
                try await server.expectSleeps(1, "it fell asleep in between, which makes the comparison void")
            }
        }

        /// No process is left, and containerd sees a container that runs.
        private func expectAsleep(_ container: Container, pid: Int) async throws {
            #expect(try await container.processes() == [])
            let status = try await container.status()
            #expect(status.state == .running)
            #expect(try await container.pid() == pid)
        }
    }
}
