import Commands
import Foundation
import Measure
import TestNode

/// Somebody outside the node who calls one of the containers, and checks that it is the one it was before.
actor Visitor {
    enum Kind { case web, counter }

    struct Answer: Sendable {
        let text: String
        let milliseconds: Double
        let asleep: Bool
    }

    let container: Container
    private let client: TimedClient
    private let stage: Stage
    private let kind: Kind
    private let log: ShimLog
    private var counter = 0
    /// Of the pod, when the container was last called.
    private var awakeMemory = 0
    /// Those to `visit`.
    private(set) var answers: [Answer] = []

    init(container: Container, client: TimedClient, stage: Stage, kind: Kind) {
        self.container = container
        self.client = client
        self.stage = stage
        self.kind = kind
        log = ShimLog(of: container.pod)
    }

    /// What ps calls the application.
    private var program: String { kind == .web ? "nginx" : "redis-server" }

    private var request: String { kind == .web ? "GET /" : "INCR visits" }

    /// One request on a new connection; throws if the answer is not the right one.
    private func call() async throws -> TimedClient.Reply {
        switch kind {
        case .web:
            let reply = try await client.get(container.pod.ip4, port: 80)
            guard reply.text == "hello from nginx\n" else { throw wrong(reply, expected: "hello from nginx") }
            return reply
        case .counter:
            let reply = try await client.redis(container.pod.ip4, request)
            counter += 1
            guard reply.text == "\(counter)" else { throw wrong(reply, expected: "\(counter)") }
            return reply
        }
    }

    private func wrong(_ reply: TimedClient.Reply, expected: String) -> Story.Wrong {
        Story.Wrong(description: "\(container.name) answered '\(reply.text)' to \(request), not '\(expected)'")
    }

    func visit(asleep: Bool) async throws {
        if asleep { try await checkAsleep() }
        let reply = try await call()
        let answer = Answer(
            text: reply.text.trimmingCharacters(in: .whitespacesAndNewlines), milliseconds: reply.seconds * 1000,
            asleep: asleep)
        answers.append(answer)
        await stage.look()
        awakeMemory = await stage.actor(container.name)?.memory ?? 0
        await stage.tell(
            container.name, request + (asleep ? " (asleep)" : " (awake)"), took: answer.milliseconds,
            "“\(answer.text)”", asleep ? .wake : .warm)
    }

    private func checkAsleep() async throws {
        await stage.look()
        guard let now = await stage.actor(container.name), now.isAsleep else {
            throw Story.Wrong(description: "\(container.name) woke up before anybody called")
        }
    }

    /// Asks ps, as a person would.
    func askProcesses() async throws {
        let found = try await container.pod.node.run("ps", "-C", program, "-o", "pid=,args=", expecting: nil)
        guard found.trimmed.isEmpty else {
            throw Story.Wrong(description: "\(container.name) is asleep, and ps shows \(found.trimmed)")
        }
        await stage.tell(container.name, "ps -C \(program)", "no process", .sleep)
    }

    private func knock() async throws -> Bool {
        switch kind {
        case .web: try await client.get(container.pod.ip4, port: 80).text.isEmpty == false
        case .counter: try await client.redis(container.pod.ip4, "PING").text == "PONG"
        }
    }

    /// Waits until the application answers; of a first answer nothing is warm yet, so its time is not told.
    func greet() async throws {
        try await eventually("\(container.name) answers", holds: knock)
        try await visit(asleep: false)
    }

    private func isAsleep() async throws -> Bool { try await container.sleepReport().state == "asleep" }

    /// Asks its shim. The log also tells of sleeps before the last call, for which a slow machine has time.
    func awaitSleep() async throws {
        try await eventually("\(container.name) is asleep", every: .milliseconds(100), holds: isAsleep)
        let report = try await container.sleepReport()
        let change = try await log.await(.asleep, report.checkpoints.count, of: container.id)
        await stage.slept(container.name, report.checkpoints.count)
        await stage.look()
        guard let after = await stage.actor(container.name), after.isAsleep, after.onDisk > 0 else {
            throw Story.Wrong(description: "\(container.name) is said to be asleep, and has processes or no images")
        }
        let (had, has) = (Text.bytes(awakeMemory), Text.bytes(after.memory))
        await stage.tell(
            container.name, "falls asleep", took: change.milliseconds,
            "\(had) → \(has), on disk \(Text.bytes(after.onDisk))", .sleep)
    }
}
