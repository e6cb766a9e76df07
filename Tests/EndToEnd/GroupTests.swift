import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// Pods of one group share a shim, and nothing else: what befalls one does not touch the other.
    @Suite struct GroupTests {
        @Test(arguments: Containerd.usual) func podsOfAGroupSleepAndWakeEachForItself(_ containerd: Containerd)
            async throws
        {
            try await withPair(on: containerd) { first, second in
                let (one, two) = (try await first.shim(), try await second.shim())
                #expect(try await one.connect(first.id).shim == two.connect(second.id).shim)
                try await first.awaitSleep()
                try await second.awaitSleep()
                let node = first.pod.node
                #expect(try await node.get(first.pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                try await second.expectWakes(0)
                #expect(try await node.get(second.pod.ip6, port: 8080).json(ServerState.self).counter == 1)
                #expect(try await first.pod.redirects().keys.sorted() == [8080])
            }
        }

        /// Whoever may make a pod chooses the name of its group: that of another namespace's pods, or one of their ids.
        @Test func aGroupDoesNotReachIntoAnotherNamespace() async throws {
            let node = try await node(.current)
            let key = "io.containerd.runc.v2.group"
            try await node.withPod("victim", runtime: .zeropod, annotations: [key: "shared"]) { victim in
                let own = try await victim.start("server", image: "python")
                for name in ["shared", victim.id, "default/shared"] {
                    try await node.withPod("intruder", runtime: .zeropod, annotations: [key: name]) {
                        $0.namespace = "elsewhere"
                    } _: { intruder in
                        let other = try await intruder.start("server", image: "python")
                        let pids = (
                            try await own.shim().connect(own.id).shim, try await other.shim().connect(other.id).shim
                        )
                        #expect(pids.0 != pids.1, "group \(name)")
                    }
                }
            }
        }

        /// One cannot be restored, or is deleted: the other sleeps and wakes.
        @Test(arguments: ["restore", "delete"]) func oneThatFailsDoesNotTouchTheOther(_ what: String) async throws {
            try await withPair(on: .current) { first, second in
                let node = first.pod.node
                try await first.awaitSleep()
                try await second.awaitSleep()
                if what == "restore" {
                    try Data("spoiled".utf8).write(to: first.snapshot.appending(path: "images/core-1.img"))
                    await #expect(throws: CommandFailed.self) { try await node.get(first.pod.ip4, port: 8080) }
                    #expect(try await first.awaitExit().exitCode == 255)
                    try FileManager.default.removeItem(at: node.state.appending(path: "zeropod/failed"))
                } else {
                    // With it goes the shim's log, which is the first pod's to containerd.
                    try await first.pod.delete()
                }
                for visit in 1...3 {
                    try await eventually("it sleeps") { try await second.processes().isEmpty }
                    #expect(try await node.get(second.pod.ip4, port: 8080).json(ServerState.self).counter == visit)
                }
            }
        }

        private func withPair(
            on containerd: Containerd, _ body: (Container, Container) async throws -> Void
        ) async throws {
            let node = try await node(containerd)
            let group = sleepy(after: "500ms").merging(["io.containerd.runc.v2.group": "pair"]) { $1 }
            try await node.withPod("first", runtime: .zeropod, annotations: group) { one in
                let first = try await one.start("server", image: "python")
                try await node.withPod("second", runtime: .zeropod, annotations: group) { two in
                    let second = try await two.start("server", image: "python")
                    try await body(first, second)
                }
            }
        }
    }
}
