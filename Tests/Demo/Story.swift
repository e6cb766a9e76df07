import Foundation
import Measure
import TestNode

/// What happens in the demo, in its order.
struct Story {
    let screen: Screen
    let shim: URL
    let nodeName: String
    /// Where what the node has to say goes after a failure.
    let log: URL

    private static let sleeps = 2
    private static let idle = 2

    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    /// Gives the closing line.
    func tell(keep: Bool) async throws -> String {
        let stage = Stage(screen: screen)
        var node: TestNode?
        do {
            await stage.set(title: "· containers that sleep while nobody calls")
            await stage.say("starting a node: containerd and runc from Debian, in namespaces of its own")
            let up = try await TestNode.up(nodeName, shim: shim)
            node = up
            try Task.checkCancellation()
            let pods = try await startPods(on: up, stage)
            let shown = try await watch(pods, on: up, stage)
            await stage.endLooking()
            return keep ? shown + "\n" + howToGoOn(up, pods) : try await end(pods.all, on: up, stage, shown)
        } catch {
            await stage.endLooking()
            // Nobody wants to know why an interrupted story did not go on.
            if !Task.isCancelled { try await keepLog(of: error, node) }
            try? await TestNode.down(nodeName)
            throw error
        }
    }

    private func keepLog(of error: any Error, _ node: TestNode?) async throws {
        let diagnosis = await node?.diagnosis() ?? ""
        try Data("\(error)\n\(diagnosis)".utf8).write(to: log)
        screen.close(with: "What was logged is in \(log.relativePath).")
    }

    private struct Pods {
        let nginx: Container
        let redis: Container
        let stock: Pod
        var all: [Pod] { [nginx.pod, redis.pod, stock] }
    }

    private func startPods(on node: TestNode, _ stage: Stage) async throws -> Pods {
        let version = try await node.cri.version().version.prefix { $0 != "+" }
        let criu = try await node.run("criu", "--version").lines.first?.split(separator: " ").last ?? "?"
        await stage.set(title: "· containerd \(version) · CRIU \(criu)")
        await stage.say("creating pods through CRI: nginx and redis sleep after \(Self.idle) s without traffic")
        let stock = try await node.runPod("stock", runtime: .runc)
        await stage.compare(with: stock)
        await stage.beginLooking()
        let nginx = try await start("nginx", port: 80, on: node, stage)
        let redis = try await start("redis", port: 6379, on: node, stage)
        try await redis.awaitLog("Ready to accept connections")
        return Pods(nginx: nginx, redis: redis, stock: stock)
    }

    private func start(_ name: String, port: UInt16, on node: TestNode, _ stage: Stage) async throws -> Container {
        let pod = try await node.runPod(
            name, runtime: .zeropod, annotations: ["zeropod.ctrox.dev/scaledown-duration": "\(Self.idle)s"])
        let container = try await pod.start(name, image: name)
        await stage.enter(container, port: port)
        await stage.tell(name, "started", "pod at \(pod.ip4), port \(port)")
        return container
    }

    // MARK: Sleeping and waking

    private func watch(_ pods: Pods, on node: TestNode, _ stage: Stage) async throws -> String {
        let client = TimedClient(namespace: "\(node.root)/run/netns/client")
        let nginx = Visitor(container: pods.nginx, client: client, stage: stage, kind: .web)
        let redis = Visitor(container: pods.redis, client: client, stage: stage, kind: .counter)
        for visitor in [nginx, redis] { try await visitor.greet() }
        for round in 1...Self.sleeps {
            await stage.say("nobody calls for \(Self.idle) s … (\(round) of \(Self.sleeps))")
            for visitor in [nginx, redis] { try await visitor.awaitSleep() }
            await stage.say("both are asleep: ps shows neither, for containerd both are Running")
            for visitor in [nginx, redis] { try await visitor.askProcesses() }
            await pause(1)
            for visitor in [nginx, redis] {
                await stage.say("a request for the sleeping \(visitor.container.name), then one more")
                try await visitor.visit(asleep: true)
                try await visitor.visit(asleep: false)
                await pause(0.5)
            }
        }
        await pause(1)
        let numbers = await redis.answers.map(\.text).joined(separator: ", ")
        return """
            Shown: nginx slept \(await stage.actor("nginx")?.sleeps ?? 0) times and redis \
            \(await stage.actor("redis")?.sleeps ?? 0) times, and woke at the first connection \
            (median \(await wakeMedian(nginx, redis)), awake \(await warmMedian(nginx, redis))); \
            redis counted on across its sleeps: \(numbers).
            Asleep, ps shows no process of theirs. What it shows in the control group of each is zeropod-stand-in, \
            \(Text.bytes(await stage.actor("nginx")?.standIn ?? 0)) of private memory: the shim's, and CRIU from the first connection on.
            A shim takes \(Text.bytes(await stage.actor("nginx")?.shimPrivate ?? 0)) of private memory, \
            the stock one \(Text.bytes(await stage.stockShim)).
            """
    }

    private func wakeMedian(_ visitors: Visitor...) async -> String { await median(visitors, asleep: true) }
    private func warmMedian(_ visitors: Visitor...) async -> String { await median(visitors, asleep: false) }

    private func median(_ visitors: [Visitor], asleep: Bool) async -> String {
        var values: [Double] = []
        for visitor in visitors { values += await visitor.answers.filter { $0.asleep == asleep }.map(\.milliseconds) }
        return Text.milliseconds(values.sorted()[values.count / 2])
    }

    /// For the eyes of a person; a file needs no time to read.
    private func pause(_ seconds: Double) async {
        if screen.isLive { try? await Task.sleep(for: .seconds(seconds)) }
    }

    // MARK: The end

    private func end(_ pods: [Pod], on node: TestNode, _ stage: Stage, _ shown: String) async throws -> String {
        await stage.say("removing the pods and ending the node")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pod in pods { group.addTask { try await pod.delete() } }
            try await group.waitForAll()
        }
        let left = try await node.lastingLeftovers()
        guard left.isEmpty else { throw Wrong(description: "the pods left behind:\n\(left.joined(separator: "\n"))") }
        try await node.down()
        return "\(shown)\nAll parts are stopped and nothing is left behind, after \(Text.time(await stage.seconds))."
    }

    private func howToGoOn(_ node: TestNode, _ pods: Pods) -> String {
        let outside = "ip netns exec client"
        return """
            The node is still up, and the pods in it go on sleeping and waking:
              sudo Tests/Node/node run \(nodeName) \(outside) curl http://\(pods.nginx.pod.ip4)
              sudo Tests/Node/node run \(nodeName) \(outside) redis-cli -h \(pods.redis.pod.ip4) incr visits
              sudo Tests/Node/node enter \(nodeName)     a shell inside; try: ctr -n k8s.io tasks ls
              sudo Tests/Node/node down \(nodeName)      end it
              containerd's socket: \(node.cri.socket)
              containerd's log, and the shims': \(node.state.appending(path: "log/containerd.log").path())
            """
    }
}
