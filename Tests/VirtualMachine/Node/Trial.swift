import CRI
import Commands
import Foundation
import TestNode

/// A container's life: it starts, sleeps and wakes in every way, and is deleted asleep.
struct Trial {
    let application: Application
    let way: Way
    let network: Network
    /// Whether this kernel can only freeze, as `zeropod check` has it.
    let onlyFreezes: Bool
    let results: Results

    let node = TestNode.thisMachine
    /// An emulated processor is twenty times slower than a real one.
    let patience = Duration.seconds(300)

    /// What this kernel can have: every application in every way, and one on each other network.
    static func all(onlyFreezes: Bool, _ results: Results) -> [Trial] {
        let usual = Way.allCases.flatMap { way in Application.allCases.map { ($0, way, Network.veth) } }
        let others = Network.allCases.filter { $0 != .veth }.map { (Application.nginx, Way.root, $0) }
        return (usual + others).filter { $1.isPossible && $2.isPossible }.map {
            Trial(application: $0, way: $1, network: $2, onlyFreezes: onlyFreezes, results: results)
        }
    }

    /// As the arguments name it.
    var name: String { "\(application):\(way)" + (network == .veth ? "" : ":\(network)") }

    /// How it has to sleep.
    private var asleep: String { way.isFrozen || onlyFreezes ? "frozen" : "asleep" }

    func run() async {
        var server: Container?
        await check("starts") { server = try await start() }
        guard let server else { return }
        var count = 2
        // With Tests/Fidelity it is tried more of, and faster.
        if application == .python { await check("is what it was") { try await isWhatItWas(server) } }
        if application == .python && way == .user && asleep == "asleep" {
            await check("has its dump on its account") { try await dumpIsOnItsAccount(server) }
        }
        await check("goes on for a client") {
            for _ in 1...(onlyFreezes ? 10 : 2) {
                try await fallsAsleep(server)
                count += 1
                try await answers(server.pod, count)
            }
        }
        await check("runs a command asleep") {
            try await fallsAsleep(server)
            try await identifies(server)
            try await answers(server.pod, count + 1)
        }
        await check("is deleted asleep") {
            try await fallsAsleep(server)
            try await server.pod.delete()
        }
    }

    private func check(_ what: String, _ body: () async throws -> Void) async {
        await results.check("\(application)\(network.label) \(what)", way) {
            try await body()
            return what == "starts" || way == .frozen || asleep == "asleep" ? "" : asleep
        }
    }

    private func start() async throws -> Container {
        let unique = "\(application)-\(way)-\(network)"
        let volume = "/run/volumes/\(unique)"
        try await node.shell(way.makingVolume(volume))
        let pod = try await node.runPod(
            unique, runtime: .zeropod, annotations: way.annotations, adjust: way.adjust)
        let server = try await pod.start("server", image: application.image, command: application.command) {
            way.adjust(&$0, volume: volume)
        }
        // Without a client in between, who would take what time the emulated processor has.
        try await eventually("\(application) answers", within: patience, every: .seconds(1)) {
            try await application.ask(pod) == 1
        }
        // What a first request has Python load is there with the second.
        try await answers(pod, 2)
        try await identifies(server)
        return server
    }

    func fallsAsleep(_ server: Container) async throws {
        // What has just answered may be busy with it yet, and its port not found.
        var refusals: [String] = []
        do {
            try await eventually("it falls asleep", within: patience, every: .seconds(1)) {
                let refusal = try await node.run("zeropod", "sleep", server.id, expecting: nil).errorText
                if !refusal.isEmpty { refusals.append(refusal) }
                return try await server.sleepReport().state == asleep
            }
        } catch {
            throw Surprise("\(error) \(refusals.last ?? "")\(try await server.sleepReport())")
        }
        // Why it took its time.
        if let last = refusals.last { print("  refused \(refusals.count) times, at last: \(last)", terminator: "") }
        let processes = try await server.processes()
        guard processes.isEmpty == (asleep == "asleep") else {
            throw Surprise("\(asleep), with processes \(processes)")
        }
    }

    /// Woken by a person and not by a request, which would itself change something.
    private func isWhatItWas(_ server: Container) async throws {
        let script = "/applications/processes.sh"
        let before = try await ProcessView(of: server, by: script)
        try await fallsAsleep(server)
        try await node.run("zeropod", "wake", server.id)
        try await eventually("it wakes", within: patience, every: .seconds(1)) {
            try await server.sleepReport().state == "running"
        }
        let changes = before.differences(from: try await ProcessView(of: server, by: script))
        guard changes.isEmpty else { throw Surprise(changes.joined(separator: "\n")) }
    }

    private func answers(_ pod: Pod, _ expected: Int) async throws {
        let count = try await application.ask(pod)
        guard count == expected else { throw Surprise("it was asked \(expected) times, and counts \(count)") }
    }

    private func identifies(_ server: Container) async throws {
        let answer = try await server.exec("sh", "-c", "id | sed 's/([a-z]*)//g'; echo >/tmp/written; cat /tmp/written")
        guard answer.stdout == "\(way.identity)\n\n" else { throw Surprise("\(answer), expected \(way.identity)") }
    }
}
