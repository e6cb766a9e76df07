import CRI
import Commands
import Foundation
import TestNode
import Testing

/// What a container may be doing when it is told to end.
enum Doing: String, CaseIterable, Sendable {
    case running, fallingAsleep, sleeping, waking
}

/// How a container is told to end.
enum Ending: String, Sendable {
    /// SIGTERM, which the application heeds.
    case terminate
    case kill
    /// Removed while it runs, as far as containerd knows.
    case remove
    case removePod
    /// The shim is killed, and nobody is left to do anything in order.
    case loseShim

    /// For the shim a removal is a kill and a deletion.
    static let orderly: [Ending] = [.terminate, .kill, .removePod]
}

extension SleepingPods {
    /// Whatever a container does, it can be ended, and leaves nothing.
    @Suite struct EndInEveryStateTests {
        @Test(arguments: Doing.allCases, Ending.orderly)
        func endsAndLeavesNothing(_ doing: Doing, _ ending: Ending) async throws {
            try await end(doing, ending, on: try await node(.current))
        }

        @Test(arguments: Doing.allCases) func endsWithItsShim(_ doing: Doing) async throws {
            try await end(doing, .loseShim, on: try await node(.current))
        }

        @Test(arguments: [Doing.sleeping, .waking]) func endsUnderContainerd17(_ doing: Doing) async throws {
            try await end(doing, .terminate, on: try await node(.previous))
        }

        /// Ends come as fast as they can, at moments spread over a checkpoint and the restore after it.
        @Test func endsAtAnyMoment() async throws {
            let node = try await node(.current)
            for moment in 0..<12 {
                let pod = try await node.runPod("moment", runtime: .zeropod, annotations: sleepy(after: "100ms"))
                let server = try await pod.start("server", image: "python")
                // What is tried depends on the pause; what is expected does not.
                try await server.awaitCheckpointBegin()
                if moment.isMultiple(of: 2) { try await server.awaitSleep() }
                async let answer = try? node.get(pod.ip4, port: 8080)
                try await Task.sleep(for: .milliseconds(moment * 8))
                try await pod.delete()
                _ = await answer
            }
            try await expectNothingLeft(on: node)
        }

        /// What the pod's network gets is made by a process of its own: the end waits for it, or takes it along.
        @Test(arguments: [Ending.removePod, .loseShim])
        func endsWhileItsNetworkIsPrepared(_ ending: Ending) async throws {
            let node = try await node(.current)
            // Under this lock nothing is made and nothing taken away.
            let release = "/run/lock-of-the-test"
            try await node.shell(
                "touch \(release); setsid flock /run/zeropod/datapath.lock -c 'while [ -e \(release) ]; do sleep 0.02; done' &"
            )
            let pod = try await node.runPod("prepared", runtime: .zeropod, annotations: sleepy(after: "1s"))
            let server = try await pod.start("server", image: "python")
            let shim = try await pod.shimProcess()
            let attaching = "pgrep -f -- '-id \(pod.id) attach-network'"
            try await eventually("the network is being prepared") {
                try await node.shell(attaching, expecting: nil).status == 0
            }
            if ending == .loseShim {
                try await end(server, .loseShim)
                try await eventually("its child has ended, too") {
                    try await node.shell(attaching, expecting: nil).status == 1
                }
                try await node.shell("rm \(release)")
                _ = try await server.awaitExit()
                try await pod.delete()
            } else {
                async let deletion: Void = pod.delete()
                // A shim that does not wait is gone by then.
                _ = try? await eventually("the shim ends", within: .seconds(2)) {
                    try await node.shell("kill -0 \(shim)", expecting: nil).status != 0
                }
                try await node.shell("rm \(release)")
                try await deletion
            }
            try await expectNothingLeft(on: node)
        }

        private func end(_ doing: Doing, _ ending: Ending, on node: TestNode) async throws {
            let pod = try await node.runPod("end", runtime: .zeropod, annotations: sleepy(after: "1s"))
            var isRemoved = false
            do {
                let server = try await pod.start("server", image: "python", command: serverThatHeedsTerm)
                try await server.awaitLog("listening")
                let waiting = try await bring(server, to: doing)
                try await end(server, ending)
                // containerd gives 255 to what it lost sight of.
                if ending == .loseShim { #expect([137, 255].contains(try await server.awaitExit().exitCode)) }
                if [.terminate, .kill].contains(ending) {
                    let status = try await server.awaitExit()
                    #expect(status.exitCode == (ending == .terminate ? 7 : 137))
                }
                isRemoved = ending == .removePod
                if !isRemoved { try await pod.delete() }
                waiting?.cancel()
                try await expectNothingLeft(on: node)
            } catch {
                Issue.record(error)
                if !isRemoved { try? await pod.delete() }
            }
        }

        /// Returns the request that wakes the container, if there is one: its answer may never come.
        private func bring(_ server: Container, to doing: Doing) async throws -> Task<Void, Never>? {
            let pod = server.pod
            // Memory makes the moments longer in which it falls asleep and wakes.
            _ = try await pod.node.get(pod.ip4, port: 8080, path: "/allocate?mb=120")
            switch doing {
            case .running: break
            case .fallingAsleep: try await server.awaitCheckpointBegin()
            case .sleeping: try await server.awaitSleep()
            case .waking:
                try await server.awaitSleep()
                let request = Task { _ = try? await pod.node.get(pod.ip4, port: 8080) }
                try await eventually("a restore of \(server.name) begins", every: .milliseconds(1)) {
                    FileManager.default.fileExists(atPath: server.snapshot.appending(path: "restore.log").path())
                }
                return request
            }
            return nil
        }

        private func end(_ server: Container, _ ending: Ending) async throws {
            switch ending {
            case .terminate: try await server.stop(timeout: 10)
            case .kill: try await server.stop(timeout: 0)
            case .remove: try await server.remove()
            case .removePod: try await server.pod.delete()
            case .loseShim: try await server.pod.node.run("kill", "-KILL", "\(server.pod.shimProcess())")
            }
        }

        private func expectNothingLeft(on node: TestNode) async throws {
            let left = try await node.lastingLeftovers()
            #expect(left == [])
        }
    }
}
