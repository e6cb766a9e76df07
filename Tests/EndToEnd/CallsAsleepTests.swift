import CRI
import Commands
import Foundation
import Glibc
import TestNode
import Testing

/// gRPC's codes, as far as calls are refused.
let notFound = 5
let failedPrecondition = 9

extension SleepingPods {
    /// What calls asleep do with the real processes, runc and control groups. `CallsInEveryStateTests` tries all of them.
    @Suite struct CallsAsleepTests {
        @Test func askingDoesNotWake() async throws {
            try await withSleeper(on: .current) { server, shim in
                let pid = try await server.pid()
                async let wait = shim.wait(server.id)
                let state = try await shim.state(server.id)
                #expect(state.status == .running && state.pid == pid)
                #expect(try await shim.pids(server.id) == [pid])
                let connection = try await shim.connect(server.id)
                #expect(connection.task == pid)
                #expect(try await server.pod.shimProcess() == connection.shim)
                try await shim.resizePty(server.id, columns: 80, rows: 25)
                try await shim.closeStdin(server.id)
                try await expectAsleep(server)
                try await shim.kill(server.id, SIGKILL)
                #expect(try await wait == 137)
            }
        }

        /// What `kubectl top` shows: memory that is used now, and processor time that only grows.
        @Test func statsAreTrue() async throws {
            try await withSleeper(on: .current, after: "1s") { server, shim in
                let node = server.pod.node
                _ = try await node.get(server.pod.ip4, port: 8080, path: "/allocate?mb=64")
                var last = try await shim.stats(server.id)
                #expect(last.memoryUsage > 64 << 20)
                #expect(last.cpuNanoseconds > 0)
                for sleep in 2...3 {
                    try await server.awaitSleep(sleep)
                    let asleep = try await shim.stats(server.id)
                    #expect(asleep.memoryUsage < 32 << 20)
                    #expect(asleep.cpuNanoseconds >= last.cpuNanoseconds)
                    _ = try await node.get(server.pod.ip4, port: 8080)
                    // Of so much memory a part comes after the first answer.
                    last = try await eventually("its memory is back") {
                        let now = try await shim.stats(server.id)
                        return now.memoryUsage > 64 << 20 ? now : nil
                    }
                    #expect(last.cpuNanoseconds >= asleep.cpuNanoseconds)
                }
            }
        }

        /// As the kernel would: a first process that has no handler drops a signal.
        @Test func signalsWakeIfTheyAreHeeded() async throws {
            try await withSleeper(on: .current, command: serverThatHeedsTerm) { server, shim in
                for signal in [0, SIGUSR1, SIGQUIT] { try await shim.kill(server.id, signal) }
                try await expectAsleep(server)
                try await shim.kill(server.id, SIGTERM)
                #expect(try await server.awaitExit().exitCode == 7)
                try await server.awaitShimLog("msg=\"restored\"")
                try await expectCode(notFound) { try await shim.kill(server.id, SIGTERM) }
            }
        }

        @Test func pausedItSleepsOn() async throws {
            try await withSleeper(on: .current) { server, shim in
                let pod = server.pod
                try await shim.pause(server.id)
                #expect(try await shim.state(server.id).status == .paused)
                try await expectCode(failedPrecondition) { try await shim.pause(server.id) }
                try await expectCode(failedPrecondition) { try await shim.exec(server.id, "x", arguments: ["true"]) }
                async let answer = pod.node.get(pod.ip4, port: 8080, from: .outside)
                try await eventually("a request is held") { try await pod.waiting() == 1 }
                try await expectAsleep(server)
                try await shim.resume(server.id)
                #expect(try await answer.json(ServerState.self).counter == 1)
                #expect(try await shim.state(server.id).status == .running)
                // It may sleep again.
                try await server.awaitSleep(2)
            }
        }

        /// They hold at once, and afterwards in the cgroup and in runc's own memory.
        @Test(arguments: Containerd.allCases) func limitsChangedAsleepHold(_ containerd: Containerd) async throws {
            try await withSleeper(on: containerd) { server, shim in
                let node = server.pod.node
                var resources = Resources()
                resources.memoryLimit = 96 << 20
                try await node.cri.updateContainerResources(server.id, resources)
                #expect(try await shim.stats(server.id).memoryLimit == 96 << 20)
                try await expectCode(failedPrecondition) {
                    try await shim.update(server.id, resources: #"{"memory":{"limit":1048576}}"#)
                }
                // runc's own refusal.
                await #expect(throws: CallFailed.self) {
                    try await shim.update(server.id, resources: #"{"cpu":{"quota":1}}"#)
                }
                #expect(try await shim.stats(server.id).memoryLimit == 96 << 20)
                try await expectAsleep(server)
                #expect(try await node.get(server.pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                #expect(try await server.memoryLimit() == 96 << 20)
                let remembered = try await node.run("cat", "/run/containerd/runc/k8s.io/\(server.id)/state.json")
                #expect(remembered.text.contains("\"memory\":\(96 << 20)"))
                // runc knows the restored process again.
                try await shim.update(server.id, resources: #"{"memory":{"limit":\#(128 << 20),"swap":\#(128 << 20)}}"#)
                #expect(try await server.memoryLimit() == 128 << 20)
            }
        }

        private func withSleeper(
            on containerd: Containerd, after duration: String = "300ms", command: [String] = [],
            _ body: (Container, ShimClient) async throws -> Void
        ) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("calls", after: duration) { pod in
                let server = try await pod.start("server", image: "python", command: command)
                try await server.awaitSleep()
                try await body(server, try await server.shim())
            }
        }

        private func expectAsleep(_ server: Container) async throws {
            #expect(try await server.processes() == [])
            try await server.expectWakes(0)
            #expect(try await server.status().state == .running)
        }
    }
}

/// Expects a call to be refused with one of gRPC's codes.
func expectCode(
    _ code: Int, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws {
    let failure = await #expect(throws: CallFailed.self, sourceLocation: sourceLocation) { try await body() }
    #expect(failure?.code == code, "\(failure?.message ?? "")", sourceLocation: sourceLocation)
}
