import Commands
import Foundation
import Measure
import TestNode

/// A container that sleeps, its kubelet and its client.
struct Sleeper: Sendable {
    let container: Container
    /// Whether its part of the processors is lowered while it sleeps.
    let isScaled: Bool
    /// The files that say how large that part is, of its control group and its pod's, and the smallest that there is.
    private let share: (files: [URL], least: String)
    private let kubelet: TimedClient
    private let client: TimedClient

    init(_ container: Container, isScaled: Bool) async throws {
        (self.container, self.isScaled) = (container, isScaled)
        let node = container.pod.node
        let lines = try await node.shell("cat /proc/\(try await container.pid())/cgroup").lines
        let root = URL(filePath: "\(node.root)/sys/fs/cgroup")
        func files(_ group: URL, _ name: String) -> [URL] {
            [group.deletingLastPathComponent(), group].map { $0.appending(path: name) }
        }
        if let line = lines.first(where: { $0.hasPrefix("0::\(BusyDay.cgroups)/") }) {
            share = (files(root.appending(path: String(line.dropFirst(4))), "cpu.weight"), "1")
        } else {
            let line = lines.first {
                $0.split(separator: ":").dropFirst().first?.split(separator: ",").contains("cpu") == true
            }
            let path = line.flatMap { $0.split(separator: ":").last.map(String.init) } ?? "/"
            share = (files(root.appending(path: "cpu").appending(path: path), "cpu.shares"), "2")
        }
        kubelet = TimedClient(namespace: node.root.replacing("/root", with: "/ns/net"))
        client = TimedClient(namespace: "\(node.root)/run/netns/client")
    }

    /// As a kubelet does, every second.
    func probe(until end: ContinuousClock.Instant) async -> Counts {
        var counts = Counts()
        while ContinuousClock.now < end {
            do {
                counts.probes.append(try await kubelet.probe(container.pod.ip4, port: 80).seconds)
            } catch {
                counts.errors["a probe: \(error)", default: 0] += 1
            }
            try? await Task.sleep(for: .seconds(1))
        }
        return counts
    }

    /// Until a probe is answered without a wake: a sleeper that has not been asked before wakes by the first one.
    func awaitAnswersAsleep() async throws {
        try await eventually("probes of \(container.pod.config.name) are answered asleep", within: .seconds(180)) {
            let before = try await container.sleepReport()
            _ = try? await kubelet.probe(container.pod.ip4, port: 80)
            let now = try await container.sleepReport()
            return before.state == "asleep" && now.state == "asleep" && now.restores.count == before.restores.count
        }
    }

    /// A client that comes every three to six seconds.
    func call(until end: ContinuousClock.Instant, _ view: StatusView) async -> Counts {
        var counts = Counts()
        var last = ContinuousClock.now
        while ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 3000...6000)))
            // Nobody else wakes it: what has slept since the last call sleeps now.
            let sleeps = await view.isAsleep(container.id, after: last)
            counts.calls[container.id, default: 0] += 1
            do {
                for file in sleeps && isScaled ? share.files : [] {
                    try share.least.write(to: file, atomically: false, encoding: .utf8)
                }
                let reply = try await client.get(container.pod.ip4, port: 80)
                if sleeps { counts.wakes[isScaled, default: []].append(reply.seconds) }
            } catch {
                counts.errors["a client: \(error)", default: 0] += 1
            }
            last = .now
        }
        return counts
    }
}
