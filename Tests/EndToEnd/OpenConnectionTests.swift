import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// Connections that are open and idle neither keep a container awake nor are cut by its sleep.
    @Suite struct OpenConnectionTests {
        @Test(arguments: Containerd.usual) func anIdleConnectionSurvives(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("kept") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                // Those in the pod are neighbours of the container, which come over lo.
                let clients = try [
                    KeptConnection.connect(node, to: pod.ip4, port: 8080),
                    KeptConnection.connect(node, to: pod.ip6, port: 8080),
                    KeptConnection.connect(node, to: "127.0.0.1", port: 8080, from: pod.networkNamespace),
                    KeptConnection.connect(node, to: "::1", port: 8080, from: pod.networkNamespace),
                    KeptConnection.connect(node, to: pod.ip6, port: 8080, from: pod.networkNamespace),
                ]
                var before: [ServerState] = []
                for client in clients { before.append(try client.state()) }
                var count = clients.count
                for cycle in 0..<2 {
                    for (number, client) in clients.enumerated() {
                        try await server.awaitSleep(cycle * clients.count + number + 1)
                        #expect(try await server.processes() == [])
                        let state = try client.state()
                        count += 1
                        #expect(state.counter == count)
                        #expect(state.client == before[number].client)
                        #expect(state.clientPort == before[number].clientPort)
                    }
                }
                // What the server sends is whole, and so is what it reads.
                try await server.awaitSleep(2 * clients.count + 1)
                #expect(try clients[0].get("/bytes?n=300000") == Data(repeating: UInt8(ascii: "x"), count: 300_000))
                // New connections come in as ever.
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == count + 2)
            }
        }

        /// The connection that woke the container is like all others, also if the shim relays it.
        @Test(arguments: Handover.allCases) func theFirstConnectionIsKept(_ handover: Handover) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("first-kept", ["handover": handover.rawValue]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                let client = try KeptConnection.connect(node, to: pod.ip4, port: 8080)
                for cycle in 1...3 {
                    let state = try client.state()
                    #expect(state.counter == cycle)
                    #expect(state.client == "10.99.0.2")
                    try await server.awaitSleep(cycle + 1)
                }
                client.finish()
                #expect(try client.ends())
            }
        }

        /// Whenever a request comes, and whatever the checkpoint has come to by then.
        @Test func requestsInTheMiddleOfCheckpointsAreAnswered() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("middle") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let clients = try [pod.ip4, pod.ip6].map { try KeptConnection.connect(node, to: $0, port: 8080) }
                for number in 0..<60 {
                    #expect(try clients[number % 2].state().counter == number + 1)
                    // A checkpoint begins after 300.
                    try await Task.sleep(for: .milliseconds(290 + number * 3))
                }
            }
        }

        @Test func manyConnectionsOverManySleeps() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("many-kept") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let clients = try (0..<25).map {
                    try KeptConnection.connect(node, to: $0.isMultiple(of: 2) ? pod.ip4 : pod.ip6, port: 8080)
                }
                for client in clients { _ = try client.state() }
                var count = 25
                for cycle in 1...3 {
                    try await server.awaitSleep(cycle)
                    #expect(try await server.sleepReport().connectionsKept == 25)
                    // All at once.
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for client in clients { group.addTask { _ = try client.state() } }
                        try await group.waitForAll()
                    }
                    count += 25
                    #expect(try clients[cycle].state().counter == count + 1)
                    count += 1
                }
            }
        }

        /// The kernel of a client asks whether the server is still there.
        @Test func keepAliveProbesDoNotWake() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("probed", after: "1500ms") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let clients = try [pod.ip4, pod.ip6].map { try KeptConnection.connect(node, to: $0, port: 8080) }
                for client in clients {
                    _ = try client.state()
                    client.keepAlive()
                }
                // They are sent more often than the container is idle for.
                try await server.awaitSleep()
                // By the kernel, in the place of a process that is not there.
                let asleep = ContinuousClock.now
                try await eventually("probes are answered") {
                    clients.allSatisfy { $0.lastHeard > asleep + .seconds(3) }
                }
                try await server.expectWakes(0)
                for (number, client) in clients.enumerated() { #expect(try client.state().counter == 3 + number) }
                try await server.expectWakes(1)
            }
        }

        /// A client that goes is told that the server has heard of it.
        @Test func theEndOfAConnectionArrives() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("ended") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let client = try KeptConnection.connect(node, to: pod.ip4, port: 8080)
                _ = try client.state()
                try await server.awaitSleep()
                client.finish()
                #expect(try client.ends())
                try await server.awaitSleep(2)
            }
        }

        @Test func anApplicationKeepsItsOwnConnections() async throws {
            let node = try await node(.current)
            let outside = try OutsideServer(node, port: 9000)
            try await node.withSleepyPod("outgoing") { pod in
                // Each line that comes on one of its two connections goes out on the other.
                let program = """
                    import socket, threading
                    def copy(a, b):
                        for line in a.makefile("rb"):
                            b.sendall(line)
                    server = socket.create_server(("0.0.0.0", 8080))
                    out = socket.create_connection(("10.99.0.2", 9000))
                    print("connected", flush=True)
                    inner, _ = server.accept()
                    threading.Thread(target=copy, args=(inner, out)).start()
                    copy(out, inner)
                    """
                let server = try await pod.start("server", image: "python", command: ["python3", "-c", program])
                let far = try outside.accept()
                let near = try KeptConnection.connect(node, to: pod.ip4, port: 8080)
                for cycle in 1...3 {
                    try near.say("question \(cycle)", to: far)
                    // What the application waits for keeps it awake, though nothing moves.
                    try await eventually("it says why it cannot sleep") {
                        try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id, expecting: nil)
                            .errorText.contains("it has not answered a request yet")
                    }
                    try await server.expectSleeps((cycle - 1) * 2)
                    try far.say("answer \(cycle)", to: near)
                    try await server.awaitSleep(cycle * 2 - 1)
                    // It is woken by what others have to say.
                    try far.say("news \(cycle)", to: near)
                    try await server.awaitSleep(cycle * 2)
                }
            }
        }

        @Test func aConnectionKeepsAwakeIfAskedTo() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("connected", ["activity": "connections"]) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let client = try KeptConnection.connect(node, to: pod.ip4, port: 8080)
                _ = try client.state()
                try await eventually("it says why it is awake") {
                    try await node.run("/opt/zeropod/bin/zeropod", "status").text.contains("a connection to it is open")
                }
                try await server.expectSleeps(0)
                client.finish()
                #expect(try client.ends())
                try await server.awaitSleep()
            }
        }

        @Test func aConnectionThroughTheNodesNATSurvives() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("nat") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let rule = "PREROUTING -t nat -d 10.97.0.9 -p tcp --dport 80 -j DNAT --to \(pod.ip4):8080"
                try await node.shell("iptables -A \(rule)")
                do {
                    let client = try KeptConnection.connect(node, to: "10.97.0.9", port: 80)
                    for cycle in 1...2 {
                        #expect(try client.state().counter == cycle)
                        try await server.awaitSleep(cycle)
                    }
                    #expect(try client.state().counter == 3)
                } catch {
                    try await node.shell("iptables -D \(rule)")
                    throw error
                }
                try await node.shell("iptables -D \(rule)")
            }
        }

        /// The packets are for another address than the socket's.
        @Test func aConnectionThroughNATInThePodSurvives() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("nat-within") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                for command in ["iptables", "ip6tables"] {
                    try await node.shell(
                        "nsenter --net=\(pod.networkNamespace) \(command) -t nat -A PREROUTING -p tcp --dport 8000"
                            + " -j REDIRECT --to-ports 8080")
                }
                let clients = try [
                    KeptConnection.connect(node, to: pod.ip4, port: 8000),
                    KeptConnection.connect(node, to: pod.ip6, port: 8000),
                    KeptConnection.connect(node, to: pod.ip4, port: 8080),
                ]
                var count = 0
                for cycle in 0..<2 {
                    for (number, client) in clients.enumerated() {
                        count += 1
                        #expect(try client.state().counter == count)
                        try await server.awaitSleep(cycle * clients.count + number + 1)
                    }
                }
                try await server.stop(timeout: 0)
                for client in clients { #expect(try client.ends()) }
            }
        }

        /// Who would never hear of it otherwise is told.
        @Test func connectionsEndWithAContainerThatIsKilledAsleep() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("killed-kept") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let clients = try [
                    KeptConnection.connect(node, to: pod.ip4, port: 8080),
                    KeptConnection.connect(node, to: pod.ip6, port: 8080),
                    KeptConnection.connect(node, to: "127.0.0.1", port: 8080, from: pod.networkNamespace),
                ]
                for client in clients { _ = try client.state() }
                try await server.awaitSleep()
                try await server.stop(timeout: 0)
                for client in clients { #expect(try client.ends()) }
                #expect(try !server.hasLogged("restored"))
            }
        }

        @Test func connectionsEndWithAFailedRestore() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("lost") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                let clients = try [pod.ip4, pod.ip6].map { try KeptConnection.connect(node, to: $0, port: 8080) }
                for client in clients { _ = try client.state() }
                try await server.awaitSleep()
                try Data("spoiled".utf8).write(to: server.snapshot.appending(path: "images/core-1.img"))
                // Whoever asks is told at once, and does not wait for what will never come.
                #expect(clients[0].isReset { _ = try $0.state() })
                // Nothing of this one was left unread.
                #expect(try clients[1].ends())
                #expect(try await server.awaitExit().exitCode == 255)
                try FileManager.default.removeItem(at: node.state.appending(path: "zeropod/failed"))
            }
        }
    }
}

extension AlteredNodes {
    /// Connections of a container whose checkpoint fails.
    @Suite struct ConnectionsInTheMiddleTests {
        /// It has taken its own copies of them by then.
        @Test func theDeathOfCRIUHarmsNoConnection() async throws {
            let node = try await node(.current)
            try await node.withStandInForCRIU {
                try await node.withSleepyPod("repaired") { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitLog("listening")
                    let clients = try [pod.ip4, pod.ip6].map { try KeptConnection.connect(node, to: $0, port: 8080) }
                    try await node.holdCRIU()
                    try await node.lettingCRIUGo {
                        for client in clients { _ = try client.state() }
                        try await server.awaitCheckpointBegin()
                        // Nobody reads it: CRIU waits when it comes to the memory, and is ended.
                        let pages = server.snapshot.appending(path: "images/pages-1.img").path()
                        try #require(mkfifo(pages, 0o600) == 0)
                    }
                    try await server.awaitShimLog("checkpoint failed, the container runs on")
                    for (number, client) in clients.enumerated() { #expect(try client.state().counter == 3 + number) }
                }
            }
        }
    }
}
