import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// `kubectl exec`, `attach` and `port-forward`, as the kubelet carries them out.
    @Suite struct StreamingTests {
        @Test(arguments: Containerd.allCases) func execWakes(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("exec") { pod in
                let server = try await pod.start("server", image: "python")
                for (cycle, terminal) in [(1, false), (2, true)] {
                    try await server.awaitSleep(cycle)
                    let command = ["sh", "-c", "read line; echo got $line; exit 4"]
                    let url = try await node.cri.exec(server.id, command, stdin: true, terminal: terminal)
                    try await server.expectWakes(cycle - 1, "asking for the address wakes nobody")
                    let streamed = try await node.stream(url, sending: [(0, Data("this\n".utf8))])
                    #expect(streamed.stdout.contains("got this"))
                    #expect(streamed.verdict.contains(#""message":"4""#))
                }
            }
        }

        /// Who only listens wakes nobody, and hears what is said after the next wake.
        @Test(arguments: Containerd.usual) func attachSleepsAlong(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("attach") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                let url = try await node.cri.attach(server.id, stdin: false, terminal: false)
                async let heard = node.stream(url, until: "request 2 ")
                try await eventually("somebody is attached") {
                    try await node.shell("ss -tnH state established '( sport = :\(URL(string: url)?.port ?? 0) )'")
                        .lines.count == 1
                }
                try await server.expectWakes(0)
                _ = try await node.get(pod.ip4, port: 8080)
                try await server.awaitSleep(2)
                _ = try await node.get(pod.ip4, port: 8080)
                let lines = try await heard.stdout.split(separator: "\n").map { $0.prefix(9) }
                #expect(lines == ["request 1", "request 2"])
            }
        }

        @Test(arguments: Containerd.usual) func portForwardWakes(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("forward") { pod in
                let server = try await pod.start("server", image: "python")
                try await server.awaitSleep()
                let url = try await node.cri.portForward(pod.id, port: 8080)
                let request = Data("GET / HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n".utf8)
                let streamed = try await node.stream(url, sending: [(0, request)], until: "counter")
                #expect(streamed[0].contains(#""counter": 1"#))
                try await server.expectWakes(1)
            }
        }
    }
}
