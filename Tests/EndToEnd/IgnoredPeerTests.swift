import CRI
import Commands
import TestNode
import Testing

extension SleepingPods {
    /// Peers that the annotation names neither keep a container awake nor wake it.
    @Suite struct IgnoredPeerTests {
        /// All that is outside of the node; the node itself is not ignored.
        private static let outside = ["ignore-peers": "10.99.0.2, fd00:99::2/127"]

        enum Way: String, CaseIterable, Sendable {
            case acceptQueue, relay, frozen

            var annotations: [String: String] {
                switch self {
                case .acceptQueue: [:]
                case .relay: ["handover": "relay"]
                case .frozen: ["sleep": "freeze"]
                }
            }
        }

        @Test(arguments: Way.allCases) func theyAreServedWhenOthersWakeIt(_ way: Way) async throws {
            let node = try await node(.current)
            // Until they are connected it has to be awake.
            let annotations = Self.outside.merging(way.annotations) { $1 }.merging(["first-scaledown-duration": "1h"]) {
                $1
            }
            try await node.withSleepyPod("ignoring", annotations) { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitShimLog("ignoring peers 10.99.0.2/32, fd00:99::2/127")
                try await server.awaitLog("listening")
                let kept = try [pod.ip4, pod.ip6].map { try KeptConnection.connect(node, to: $0, port: 8080) }
                // They keep nobody awake, asking again and again.
                let over = "/run/chatter-over"
                async let chatter = node.shell(
                    """
                    until [ -e \(over) ]; do
                        ip netns exec client curl --silent --max-time 5 http://\(pod.ip4):8080/ >/dev/null || sleep 0.1
                    done; rm \(over)
                    """, deadline: .seconds(180))
                try await eventually("it sleeps") {
                    try await node.run("/opt/zeropod/bin/zeropod", "sleep", server.id, expecting: nil).status == 0
                }
                for address in [pod.ip4, pod.ip6] {
                    try await server.expectRefusal(at: address, of: 8080)
                }
                // What they say on connections that are open waits.
                for client in kept { try client.send("GET / HTTP/1.1\r\nHost: pod\r\n\r\n") }
                for address in [pod.ip4, pod.ip6] {
                    try await server.expectRefusal(at: address, of: 8080)
                }
                let report = try await server.sleepReport()
                #expect(report.checkpoints.count + report.freezes == 1 && report.restores.count + report.thaws == 0)
                #expect(report.state == (way == .frozen ? "frozen" : "asleep"))

                #expect(try await node.get(pod.ip4, port: 8080).code == 200)
                for client in kept { #expect(try client.read(upTo: "\r\n\r\n").hasPrefix("HTTP/1.1 200")) }
                try await server.awaitAnySleep(2)
                try await node.shell("touch \(over)")
                _ = try await chatter
            }
        }

        /// Answers each datagram with how many there were.
        private static let counter = """
            import socket
            server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            server.bind(("::", 5353))
            count = 0
            while True:
                data, client = server.recvfrom(65536)
                count += 1
                server.sendto(b"%d\\n" % count, client)
            """

        @Test(arguments: [Way.acceptQueue, .frozen]) func theirDatagramsAreRefusedAsleep(_ way: Way) async throws {
            let node = try await node(.current)
            let annotations = Self.outside.merging(way.annotations) { $1 }.merging(["ports-map": "dns=5353/udp"]) { $1 }
            try await node.withSleepyPod("ignoring-datagrams", annotations) { pod in
                let dns = try await pod.start("dns", image: "python", command: ["python3", "-c", Self.counter])
                try await dns.awaitShimLog("watching UDP ports [5353]")
                for (number, address) in [pod.ip4, pod.ip6].enumerated() {
                    try await dns.awaitAnySleep(number + 1)
                    // The second is not sent any more, as nobody is there.
                    let refused = "exec 3<>/dev/udp/\(address)/5353; while echo x >&3; do sleep 0.01; done 2>/dev/null"
                    try await node.run("ip", "netns", "exec", "client", "bash", "-c", refused)
                    let report = try await dns.sleepReport()
                    #expect(report.state == (way == .frozen ? "frozen" : "asleep"))
                    #expect(report.restores.count + report.thaws == number)
                    let ask = "exec 3<>/dev/udp/\(address)/5353; echo x >&3; timeout 20 head -n 1 <&3"
                    #expect(try await node.shell(ask).trimmed == "\(number + 1)")
                }
            }
        }
    }
}

extension Container {
    /// By whichever way.
    fileprivate func awaitAnySleep(_ number: Int) async throws {
        try await eventually("\(name) sleeps, time \(number)") {
            let report = try await sleepReport()
            return report.checkpoints.count + report.freezes >= number && ["asleep", "frozen"].contains(report.state)
        }
    }

    /// 7: the connection failed. For want of an answer it would be 28.
    fileprivate func expectRefusal(at address: String, of port: Int) async throws {
        let host = address.contains(":") ? "[\(address)]" : address
        try await pod.node.run(
            "ip", "netns", "exec", "client", "curl", "--silent", "--globoff", "http://\(host):\(port)/", expecting: 7)
    }
}
