import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Who connects and goes before anything is said wants nothing of an application that its clients speak to first.
    @Suite struct PortScanTests {
        @Test(arguments: ["ip4", "ip6"]) func aScanWakesNobody(_ family: String) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("scan", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                let address = family == "ip4" ? pod.ip4 : pod.ip6
                try await server.sleepsAfterRequest(from: .node)
                try await pod.scan(address, 8080, times: 5)
                #expect(try await server.sleepReport().state == "asleep")
                #expect(try await node.get(address, port: 8080, from: .outside).json(ServerState.self).counter == 2)
                try await server.expectWakes(1)
                // It has its setting back: who is silent is accepted at once, and sees the end that a scan left.
                try await server.sleepsAfterRequest(from: .outside)
                try await pod.scan(address, 8080, times: 5)
                #expect(try await server.sleepReport().state == "asleep")
            }
        }

        /// Its application may speak first for all that is known.
        @Test func aPortThatNobodyHasBeenSeenToSpeakOnWakes() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("unknown", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.sleepsAfterRequest(from: .outside)
                try await pod.connectAndGo(pod.ip4, 8080)
                try await eventually("it is awake") { try await server.sleepReport().state == "running" }
            }
        }

        @Test func whoStaysSilentlyWakes() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("silent", after: "1h") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.sleepsAfterRequest(from: .node)
                let stay = "exec 3<>/dev/tcp/\(pod.ip4)/8080; until [ -e /run/silent-over ]; do sleep 0.1; done"
                async let silence = node.run("ip", "netns", "exec", "client", "bash", "-c", stay)
                try await eventually("it is awake") { try await server.sleepReport().state == "running" }
                try await node.shell("touch /run/silent-over")
                _ = try await silence
                try await server.expectWakes(1)
            }
        }
    }
}

extension Container {
    fileprivate func sleepsAfterRequest(from origin: Origin) async throws {
        let sleeps = try await sleepReport().checkpoints.count
        try await awaitShimLog("watching ports [8080]")
        _ = try await pod.node.get(pod.ip4, port: 8080, from: origin)
        try await eventually("it sleeps") {
            try await pod.node.run("/opt/zeropod/bin/zeropod", "sleep", id, expecting: nil)
            return try await sleepReport().state == "asleep"
        }
        #expect(try await sleepReport().checkpoints.count == sleeps + 1)
    }
}

extension Pod {
    fileprivate func connectAndGo(_ address: String, _ port: Int) async throws {
        try await node.shell("ip netns exec client bash -c 'exec 3<>/dev/tcp/\(address)/\(port)'")
    }

    /// Connections from outside that are closed at once. Comes back when the pod's kernel knows it.
    fileprivate func scan(_ address: String, _ port: Int, times: Int) async throws {
        let ended =
            "ip netns exec client ss -Htan state fin-wait-2 '( dport = :\(port) )' | grep -cF '\(address)' || true"
        let before = Int(try await node.shell(ended).trimmed) ?? 0
        for _ in 1...times { try await connectAndGo(address, port) }
        try await eventually("the scan is over") {
            (Int(try await node.shell(ended).trimmed) ?? 0) >= before + times
        }
    }
}
