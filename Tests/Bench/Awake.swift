import CRI
import Commands
import TestNode

extension Entry {
    /// What it costs a container that is awake that its packets are looked at: redis, asked by one client at a time and
    /// by fifty at once, and a stream of bytes. The control is the same under the stock shim.
    static let awake = Entry(rows: ["awake/latency", "awake/throughput", "awake/stream"]) { bench in
        let ours = try await AwakePod(bench, .zeropod)
        let control = try await AwakePod(bench, .runc)
        let sides = [(Report.Side.ours, ours), (.control, control)]
        // Round 0 fills caches and is not counted. Who begins alternates.
        for round in 0...bench.rounds {
            for (side, pod) in round % 2 == 0 ? sides : sides.reversed() {
                let alone = try await pod.askRedis(clients: 1, requests: 4000)
                let crowd = try await pod.askRedis(clients: 50, requests: 40000)
                let stream = try await pod.stream()
                guard round > 0 else { continue }
                await bench.report.note("awake/latency", "µs", side, 1_000_000 / alone)
                await bench.report.note("awake/throughput", "requests/s", side, crowd)
                await bench.report.note("awake/stream", "MB/s", side, stream)
            }
        }
        try await ours.pod.delete()
        try await control.pod.delete()
    }
}

/// A pod with redis and with a web server that has a large file.
private struct AwakePod: Sendable {
    let node: TestNode
    let pod: Pod

    struct NoNumbers: Error {
        let output: String
    }

    init(_ bench: Bench, _ runtime: Runtime) async throws {
        node = bench.node
        // Awake for as long as it is measured, and watched all the same.
        pod = try await node.runPod(
            "awake", runtime: runtime, annotations: ["zeropod.ctrox.dev/scaledown-duration": "1h"])
        let redis = Application.redis
        _ = try await pod.start("redis", image: redis.image, command: redis.command)
        _ = try await pod.start(
            "files", image: "busybox",
            command: [
                "sh", "-c",
                "echo hello >/srv/index.html; dd if=/dev/zero of=/srv/file bs=1M count=128; exec httpd -f -p 80 -h /srv",
            ])
        let client = bench.client
        for question in [redis.ask, Application.httpd.ask] {
            let address = pod.ip4
            _ = try await eventually("the pod answers", within: .seconds(60)) {
                try await question(client, address)
            }
        }
    }

    /// How many GETs are answered in a second. (The times that it prints are rounded to eight microseconds.)
    func askRedis(clients: Int, requests: Int) async throws -> Double {
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
    func stream() async throws -> Double {
        let output = try await node.run(
            "ip", "netns", "exec", "client", "curl", "--silent", "--show-error", "--output", "/dev/null", "--write-out",
            "%{speed_download}", "http://\(pod.ip4)/file", deadline: .seconds(120))
        guard let speed = Double(output.trimmed) else { throw NoNumbers(output: output.trimmed) }
        return speed / 1_000_000
    }
}
