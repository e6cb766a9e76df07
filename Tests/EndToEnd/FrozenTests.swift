import CRI
import Commands
import Foundation
import Glibc
import TestNode
import Testing

extension Container {
    /// Waits until it has been frozen for the time of that number.
    func awaitFreeze(_ number: Int = 1) async throws {
        try await awaitShimLog("msg=\"frozen\"", times: number)
    }
}

extension SleepingPods {
    /// The other way of sleeping: the processes stay, and stand still.
    @Suite struct FrozenTests {
        private let frozen = ["sleep": "freeze"]

        /// Gives `body` a server that is frozen.
        private func withFrozen(
            on containerd: Containerd = .current, command: [String] = serverThatHeedsTerm,
            _ body: (Container, ShimClient) async throws -> Void
        ) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("frozen", frozen) { pod in
                let server = try await pod.start("server", image: "python", command: command)
                try await server.awaitFreeze()
                try await body(server, try await server.shim())
            }
        }

        private func counter(_ server: Container) async throws -> Int {
            try await server.pod.node.get(server.pod.ip4, port: 8080).json(ServerState.self).counter
        }

        @Test(arguments: Containerd.usual) func connectionsThawIt(_ containerd: Containerd) async throws {
            try await withFrozen(on: containerd) { server, _ in
                let pids = try await server.processes()
                for cycle in 1...4 {
                    try await server.awaitFreeze(cycle)
                    #expect(try await server.sleepReport().state == "frozen")
                    #expect(try await counter(server) == cycle)
                    try await server.expectThaws(cycle)
                }
                #expect(try await server.processes() == pids)
                #expect(!FileManager.default.fileExists(atPath: server.snapshot.appending(path: "images").path()))
            }
        }

        /// The relay holds them then.
        @Test func connectionsThawItThroughTheRelay() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("relayed", ["sleep": "freeze", "handover": "relay"]) { pod in
                let server = try await pod.start("server", image: "python")
                for cycle in 1...3 {
                    try await server.awaitFreeze(cycle)
                    #expect(try await counter(server) == cycle)
                }
            }
        }

        @Test func hundredsComeAtOnce() async throws {
            try await withFrozen { server, _ in
                let pod = server.pod
                let clients = "for i in $(seq 300); do curl -s -m 30 http://\(pod.ip4):8080/ & done; wait"
                let answers = try await pod.node.shell(clients, deadline: .seconds(60)).lines
                #expect(answers.count == 300)
                #expect(try await counter(server) == 301)
            }
        }

        /// What comes on a connection that was open before.
        @Test func dataOnAnOpenConnectionThawsIt() async throws {
            try await withFrozen { server, _ in
                let pod = server.pod
                let ask =
                    #"printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&3; until [[ $line == {* ]]; do read -r line <&3; done"#
                async let lines = pod.node.shell(
                    """
                    exec 3<>/dev/tcp/\(pod.ip4)/8080
                    \(ask); echo "$line"; line=
                    until [ -e /run/again ]; do sleep 0.05; done; rm /run/again
                    \(ask); echo "$line"
                    """)
                try await server.awaitFreeze(2)
                try await pod.node.run("touch", "/run/again")
                let counters = try await lines.lines.map {
                    try JSONDecoder().decode(ServerState.self, from: Data($0.utf8)).counter
                }
                #expect(counters == [1, 2])
            }
        }

        @Test func aDatagramThawsIt() async throws {
            let script = """
                import socket, threading
                tcp = socket.create_server(("", 8080))
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                udp.bind(("", 9090))
                while True:
                    data, client = udp.recvfrom(100)
                    udp.sendto(data.upper(), client)
                """
            try await withFrozen(command: ["python3", "-c", script]) { server, _ in
                let answer = try await server.pod.node.shell(
                    "exec 3<>/dev/udp/\(server.pod.ip4)/9090; echo hello >&3; timeout 10 dd bs=100 count=1 status=none <&3"
                )
                #expect(answer.trimmed == "HELLO")
                try await server.expectThaws(1)
            }
        }

        @Test(arguments: Containerd.usual) func askingDoesNotThaw(_ containerd: Containerd) async throws {
            try await withFrozen(on: containerd) { server, shim in
                let pids = try await server.processes()
                let state = try await shim.state(server.id)
                #expect(state.status == .running && pids.contains(state.pid))
                #expect(try await shim.pids(server.id).sorted() == pids.sorted())
                #expect(try await shim.stats(server.id).memoryUsage > 1 << 20)
                _ = try await shim.connect(server.id)
                try await shim.update(server.id, resources: #"{"memory":{"limit":\#(300 << 20),"swap":\#(300 << 20)}}"#)
                #expect(try await shim.stats(server.id).memoryLimit == 300 << 20)
                try await expectCode(failedPrecondition) { try await shim.resume(server.id) }
                try await expectCode(failedPrecondition) { _ = try await shim.start(server.id) }
                try await expectCode(failedPrecondition) { _ = try await shim.delete(server.id) }
                try await shim.exec(server.id, "later", arguments: ["true"])
                #expect(try await server.sleepReport().state == "frozen")
                try await server.expectThaws(0)
                #expect(try await counter(server) == 1)
            }
        }

        @Test(arguments: Containerd.usual) func execThaws(_ containerd: Containerd) async throws {
            try await withFrozen(on: containerd) { server, _ in
                #expect(try await server.exec("sh", "-c", "exit 4").exitCode == 4)
                try await server.expectThaws(1)
                try await server.awaitFreeze(2)
            }
        }

        @Test(arguments: Containerd.usual) func pausedItStandsStillUntilItIsResumed(
            _ containerd: Containerd
        ) async throws {
            try await withFrozen(on: containerd) { server, shim in
                try await shim.pause(server.id)
                #expect(try await shim.state(server.id).status == .paused)
                async let answer = server.pod.node.get(server.pod.ip4, port: 8080, from: .outside)
                try await eventually("a request is held") { try await server.pod.waiting() == 1 }
                try await server.expectThaws(0)
                try await shim.resume(server.id)
                #expect(try await answer.json(ServerState.self).counter == 1)
                #expect(try await shim.state(server.id).status == .running)
                try await server.awaitFreeze(2)
            }
        }

        /// The images are runc's, of what stood still a moment ago.
        @Test func exportFollows() async throws {
            try await withFrozen { server, shim in
                try await shim.checkpoint(server.id, images: "/run/frozen-export")
                let images = try await server.pod.node.shell("ls /run/frozen-export; rm -r /run/frozen-export").text
                #expect(images.contains("pages-1.img"))
                #expect(try await counter(server) == 1)
                // Paused, and made images of.
                try await server.awaitFreeze(2)
                try await shim.pause(server.id)
                try await shim.checkpoint(server.id, images: "/run/frozen-export")
                #expect(try await shim.state(server.id).status == .paused)
                try await server.pod.node.shell("rm -r /run/frozen-export")
                try await shim.resume(server.id)
                #expect(try await counter(server) == 2)
            }
        }

        @Test func signalsAreReceived() async throws {
            try await withFrozen { server, shim in
                try await shim.kill(server.id, SIGTERM)
                #expect(try await server.awaitExit().exitCode == 7)
            }
        }

        @Test(arguments: [false, true]) func sigkillEndsItPausedOrNot(_ isPaused: Bool) async throws {
            try await withFrozen { server, shim in
                if isPaused { try await shim.pause(server.id) }
                try await shim.kill(server.id, SIGKILL)
                #expect(try await server.awaitExit().exitCode == 137)
                #expect(try !server.hasLogged("thawed"))
            }
        }

        /// On a node of the machine's own cgroups, and on one that has only v2.
        @Test(arguments: [[], ["--cgroup", "v2"]]) func containerdMayRestart(_ options: [String]) async throws {
            let node = try await TestNode.up("frozen.restart", shim: Runtime.shim, options: ["--debug"] + options)
            do {
                try await node.withSleepyPod("restart", frozen) { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitFreeze()
                    try await node.stopContainerd()
                    try await node.startContainerd()
                    #expect(try await server.status().state == .running)
                    #expect(try await server.sleepReport().state == "frozen")
                    #expect(try await counter(server) == 1)
                    #expect(try await server.exec("sh", "-c", "exit 4").exitCode == 4)
                    try await server.awaitFreeze(2)
                    // Without a shim nobody thaws it but what removes it.
                    try await node.run("kill", "-KILL", "\(pod.shimProcess())")
                    _ = try await server.awaitExit()
                }
                let left = try await node.lastingLeftovers()
                #expect(left == [])
            } catch {
                Issue.record(error)
            }
            try await node.down()
        }

        /// Whatever ends it, nothing stays behind: what stands still under cgroups v1 does not even end by SIGKILL.
        @Test(arguments: [Ending.terminate, .kill, .remove, .removePod, .loseShim])
        func itEndsAndLeavesNothing(_ ending: Ending) async throws {
            let node = try await node(.current)
            let pod = try await node.runPod("ending", runtime: .zeropod, annotations: sleepy(frozen))
            let server = try await pod.start("server", image: "python", command: serverThatHeedsTerm)
            try await server.awaitFreeze()
            switch ending {
            case .terminate: try await server.stop(timeout: 10)
            case .kill: try await server.stop(timeout: 0)
            case .remove: try await server.remove()
            case .removePod: try await pod.delete()
            case .loseShim: try await node.run("kill", "-KILL", "\(pod.shimProcess())")
            }
            if ending == .loseShim { _ = try await server.awaitExit() }
            if ending == .terminate { #expect(try await server.awaitExit().exitCode == 7) }
            if ending == .kill { #expect(try await server.awaitExit().exitCode == 137) }
            if ending != .removePod { try await pod.delete() }
            let left = try await node.lastingLeftovers()
            #expect(left == [])
        }
    }
}
