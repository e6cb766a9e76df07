import CRI
import Commands
import TestNode

extension Entry {
    /// What it costs a container that is awake that its packets are looked at: redis, asked by one client at a time and
    /// by fifty at once, and a stream of bytes. The control is the same under the stock shim.
    ///
    /// Each round has pods of its own: two processes of one program differ by a few percent for all of their lives, by
    /// where their memory happens to lie, which is more than what is looked for.
    static let awake = Entry(rows: ["awake/latency", "awake/throughput", "awake/stream"]) { bench in
        // Round 0 fills caches and is not counted. Who begins alternates, and ends the round as well, so that neither
        // has the warmer half of it.
        for round in 0...bench.rounds {
            let order: [(Report.Side, Runtime)] = [(.ours, .zeropod), (.control, .runc)]
            var pods: [(side: Report.Side, pod: AwakePod)] = []
            for (side, runtime) in round % 2 == 0 ? order : order.reversed() {
                pods.append((side, try await AwakePod(bench, runtime)))
            }
            var measured: [Report.Side: [AwakePod.Speed]] = [:]
            for (side, pod) in pods + pods.reversed() { measured[side, default: []].append(try await pod.measure()) }
            for (side, speeds) in measured where round > 0 {
                func mean(_ speed: KeyPath<AwakePod.Speed, Double>) -> Double {
                    speeds.map { $0[keyPath: speed] }.reduce(0, +) / Double(speeds.count)
                }
                await bench.report.note("awake/latency", "µs", side, 1_000_000 / mean(\.alone))
                await bench.report.note("awake/throughput", "requests/s", side, mean(\.crowd))
                await bench.report.note("awake/stream", "MB/s", side, mean(\.stream))
            }
            for one in pods { try await one.pod.pod.delete() }
        }
    }
}

/// A pod with redis and with a web server that has a large file.
private struct AwakePod: Sendable {
    let node: TestNode
    let pod: Pod

    struct NoNumbers: Error {
        let output: String
    }

    /// Requests a second of one client at a time and of fifty, and megabytes a second of a stream.
    struct Speed {
        let alone: Double
        let crowd: Double
        let stream: Double
    }

    init(_ bench: Bench, _ runtime: Runtime) async throws {
        node = bench.node
        // Awake for as long as it is measured, and watched all the same.
        pod = try await node.runPod(
            "awake", runtime: runtime, annotations: ["zeropod.ctrox.dev/scaledown-duration": "1h"])
        let redis = Application.redis
        let database = try await pod.start("redis", image: redis.image, command: redis.command)
        let files = try await pod.start(
            "files", image: "busybox",
            command: [
                "sh", "-c",
                "echo hello >/srv/index.html; truncate -s 128M /srv/file; exec httpd -f -p 80 -h /srv",
            ])
        let client = bench.client
        for question in [redis.ask, Application.httpd.ask] {
            let address = pod.ip4
            _ = try await eventually("the pod answers", within: .seconds(60)) {
                try await question(client, address)
            }
        }
        // What is done once, at the beginning, is no part of what it costs to be awake.
        if runtime == .zeropod {
            for container in [database, files] { try await container.awaitShimLog("watching ports") }
        }
        _ = try await measure()
    }

    func measure() async throws -> Speed {
        Speed(
            alone: try await askRedis(clients: 1, requests: 4000),
            crowd: try await askRedis(clients: 50, requests: 40000), stream: try await stream())
    }

    /// How many GETs are answered in a second. (The times that it prints are rounded to eight microseconds.)
    private func askRedis(clients: Int, requests: Int) async throws -> Double {
        let output = try await node.run(
            "ip", "netns", "exec", "client", "redis-benchmark", "-h", pod.ip4, "-t", "get", "--csv", "-c", "\(clients)",
            "-n", "\(requests)", deadline: .seconds(120))
        // "test","rps","avg_latency_ms",…
        let fields = (output.lines.last ?? "").split(separator: ",").map { Double($0.filter { $0 != "\"" }) }
        guard fields.count > 2, let perSecond = fields[1], perSecond > 0 else {
            throw NoNumbers(output: output.trimmed)
        }
        return perSecond
    }

    /// Megabytes in a second.
    private func stream() async throws -> Double {
        let output = try await node.run(
            "ip", "netns", "exec", "client", "curl", "--silent", "--show-error", "--output", "/dev/null", "--write-out",
            "%{speed_download}", "http://\(pod.ip4)/file", deadline: .seconds(120))
        guard let speed = Double(output.trimmed) else { throw NoNumbers(output: output.trimmed) }
        return speed / 1_000_000
    }
}
