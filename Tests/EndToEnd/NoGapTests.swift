import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// At no instant does a connection meet a closed port, a reset, or nobody.
    @Suite struct NoGapTests {
        /// A thousand connections a second, evenly and in bursts, while the container sleeps and wakes as often as it can.
        /// `make soak` has the same for longer.
        @Test(arguments: Handover.allCases) func noneOfThousandsFails(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withPeers { clients in
                try await node.withSleepyPod("paced", ["handover": handover.rawValue]) { pod in
                    let server = try await pod.start(
                        "server", image: "peers", command: ["nginx", "-c", "/etc/peers/nginx.conf"])
                    try await server.awaitSleep()
                    try await clients.run("pace", pod.ip4, "1000,10")
                    #expect(try await server.wakes() > 0)
                }
            }
        }

        /// A hundred clients at once that ask on and on, from its sleep on.
        @Test(arguments: Handover.allCases) func wrkSeesNoError(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("wrk", ["handover": handover.rawValue]) { pod in
                let server = try await pod.start("server", image: "nginx")
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    let report = try await node.shell(
                        "ip netns exec client wrk -t 2 -c 100 -d 2s --timeout 60s http://\(pod.ip4)/index.html"
                    ).text
                    let served = try #require(report.firstMatch(of: /(\d+) requests in/)?.1)
                    #expect(Int(served) ?? 0 > 0, "\(report)")
                    #expect(!report.contains("Socket errors") && !report.contains("Non-2xx"), "\(report)")
                    try await server.expectWakes(cycle)
                }
            }
        }
    }
}

extension AlteredNodes {
    /// The wake is held until all of them are there.
    @Suite struct CrowdTests {
        @Test(arguments: Handover.allCases) func fiveThousandAreHeldAndServed(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                try await node.withPeers { clients in
                    try await node.withSleepyPod("crowded", after: "1s", ["handover": handover.rawValue]) { pod in
                        let server = try await pod.start("server", image: "peers")
                        try await server.awaitSleep()
                        try await node.holdCRIU()
                        try await node.lettingCRIUGo {
                            async let crowd = clients.run("burst", pod.ip4, "5000")
                            try await eventually("5,000 connections wait") { try await pod.waiting() == 5000 }
                            try await node.letCRIUGo()
                            _ = try await crowd
                        }
                        try await server.expectWakes(1)
                    }
                }
            }
        }
    }
}
