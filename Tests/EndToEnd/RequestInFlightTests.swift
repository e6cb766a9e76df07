import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// A container that owes an answer is not idle, however long it thinks and however still the wire is meanwhile.
    @Suite struct RequestInFlightTests {
        @Test(arguments: Containerd.usual) func slowAnswerIsWaitedFor(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("slow") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                // The first one wakes it and is relayed; the second goes straight.
                for (number, address) in [pod.ip4, pod.ip6].enumerated() {
                    let reply = try await node.get(address, port: 8080, path: "/slow?ms=1500")
                    #expect(try reply.json(ServerState.self).counter == number + 1)
                    #expect(reply.seconds > 1.5)
                }
                let sleeps = try await server.sleeps()
                #expect(sleeps == 1 || sleeps == 2, "it slept between the requests at most")
                // An answered client that stays connected keeps nobody awake.
                try await server.awaitSleep(sleeps + 1)
            }
        }

        /// A client that has said nothing and ends its side waits for no answer, and its connection stays open for an
        /// application that has not looked at it.
        @Test func aClientThatEndsWithoutAWordIsNotOwedAnAnswer() async throws {
            let node = try await node(.current)
            let deaf =
                "import socket; held = []; s = socket.create_server(('', 8080))\nwhile True: held.append(s.accept())"
            try await node.withSleepyPod("deaf", after: "1s") { pod in
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", deaf])
                try await server.awaitShimLog("watching ports [8080]")
                let client = try KeptConnection.connect(node, to: pod.ip4, port: 8080)
                client.finish()
                try await server.awaitSleep()
                #expect(try await server.sleepReport().connectionsKept == 1)
            }
        }

        /// Its client has stopped reading, and the kernel asks it ever more seldom whether it goes on (persist timer).
        @Test(arguments: Handover.allCases) func anAnswerThatIsNotTakenIsWaitedFor(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withPeers { clients in
                try await node.withSleepyPod("stalled", ["handover": handover.rawValue]) { pod in
                    let server = try await pod.start("server", image: "peers")
                    try await server.awaitSleep()
                    // The first one wakes it and may be relayed, the second goes straight. If it slept in their middle,
                    // the rest would be lost.
                    for _ in 1...2 { try await clients.run("stall", pod.ip4, "5") }
                }
            }
        }
    }
}
