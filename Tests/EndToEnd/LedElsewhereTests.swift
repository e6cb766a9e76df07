import CRI
import Commands
import Foundation
import TestNode
import Testing

/// A rule in a pod that leads what its application connects to elsewhere, as a service mesh does.
enum Detour: String, CaseIterable, CustomTestStringConvertible {
    /// To a proxy in the pod.
    case redirect = "REDIRECT --to-ports 15001"
    /// To a proxy beyond the node.
    case translate = "DNAT --to-destination 10.99.0.2:15001"

    var testDescription: String { rawValue }

    /// What the application means to connect to; nobody has it.
    static let meant = "10.97.0.7"

    func apply(to pod: Pod) async throws {
        try await pod.node.shell(
            "nsenter --net=\(pod.networkNamespace) iptables -t nat -A OUTPUT -p tcp -d \(Self.meant) --dport 80 -j \(rawValue)"
        )
    }

    func proxy(of pod: Pod) throws -> OutsideServer {
        self == .redirect
            ? try OutsideServer(pod.node, port: 15001, in: pod.networkNamespace)
            : try OutsideServer(pod.node, port: 15001)
    }
}

extension SleepingPods {
    /// Open connections that rules of the pod (OUTPUT) lead to another address than the application knows.
    @Suite struct LedElsewhereTests {
        /// Each line that comes on one of its two connections goes out on the other.
        private static let program = """
            import socket, threading
            def copy(a, b):
                for line in a.makefile("rb"):
                    b.sendall(line)
            server = socket.create_server(("0.0.0.0", 8080))
            out = socket.create_connection(("\(Detour.meant)", 80))
            inner, _ = server.accept()
            threading.Thread(target=copy, args=(inner, out)).start()
            copy(out, inner)
            """

        private func withApplication(
            _ detour: Detour,
            _ body: (_ server: Container, _ far: KeptConnection, _ near: KeptConnection) async throws -> Void
        ) async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("led-elsewhere") { pod in
                try await detour.apply(to: pod)
                let proxy = try detour.proxy(of: pod)
                let server = try await pod.start(
                    "server", image: "python", command: ["python3", "-c", Self.program])
                let far = try proxy.accept()
                let near = try KeptConnection.connect(node, to: pod.ip4, port: 8080)
                try await body(server, far, near)
            }
        }

        @Test(arguments: Detour.allCases) func anOutgoingConnectionSurvives(_ detour: Detour) async throws {
            try await withApplication(detour) { server, far, near in
                for cycle in 1...3 {
                    try converse(far, near)
                    try await server.awaitSleep(cycle * 2 - 1)
                    // It is woken by what others have to say.
                    try far.say("news", to: near)
                    try await server.awaitSleep(cycle * 2)
                }
            }
        }

        private func converse(_ far: KeptConnection, _ near: KeptConnection) throws {
            try near.say("question", to: far)
            try far.say("answer", to: near)
        }

        /// By the kernel, whoever asks and from wherever.
        @Test(arguments: Detour.allCases) func keepAliveProbesAreAnswered(_ detour: Detour) async throws {
            try await withApplication(detour) { server, far, near in
                try converse(far, near)
                far.keepAlive()
                try await server.awaitSleep()
                let asleep = ContinuousClock.now
                try await eventually("probes are answered") { far.lastHeard > asleep + .seconds(3) }
                try await server.expectWakes(0)
                try far.say("news", to: near)
            }
        }

        /// The proxy sleeps, and an application beside it has connected through the rule.
        @Test func aConnectionThatWasLedHereSurvives() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("led-here") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitLog("listening")
                for (command, address) in [("iptables", Detour.meant), ("ip6tables", "fd00:97::7")] {
                    try await node.shell(
                        "nsenter --net=\(pod.networkNamespace) \(command) -t nat -A OUTPUT -p tcp -d \(address)"
                            + " --dport 80 -j REDIRECT --to-ports 8080")
                }
                let clients = try [Detour.meant, "fd00:97::7"].map {
                    try KeptConnection.connect(node, to: $0, port: 80, from: pod.networkNamespace)
                }
                for cycle in 1...3 {
                    for (number, client) in clients.enumerated() {
                        #expect(try client.state().counter == cycle * 2 - 1 + number)
                    }
                    try await server.awaitSleep(server.wakes() + 1)
                }
                // Whoever would wait for ever is told of the end.
                try await server.stop(timeout: 0)
                for client in clients { #expect(try client.ends()) }
            }
        }
    }
}
