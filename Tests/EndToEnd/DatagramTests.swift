import CRI
import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// UDP ports that the annotation names.
    @Suite struct DatagramTests {
        /// Answers each datagram with how many there were, whom it is from and what was in it.
        private static let server = """
            import socket
            server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            server.bind(("::", 5353))
            count = 0
            while True:
                data, client = server.recvfrom(65536)
                count += 1
                text = "%d %s %s\\n" % (count, client[0].removeprefix("::ffff:"), data.decode().strip())
                server.sendto(text.encode(), client)
            """

        private static func ask(
            _ text: String, _ node: TestNode, _ address: String, fromOutside: Bool = false
        ) async throws -> String {
            // head(1) reads a datagram whole; `read` of the shell would take a byte and lose the rest.
            let script = "exec 3<>/dev/udp/\(address)/5353; echo '\(text)' >&3; timeout 20 head -n 1 <&3"
            return try await shell(script, node, fromOutside)
        }

        private static func shell(_ script: String, _ node: TestNode, _ fromOutside: Bool) async throws -> String {
            fromOutside
                ? try await node.run("ip", "netns", "exec", "client", "bash", "-c", script).trimmed
                : try await node.shell(script).trimmed
        }

        @Test(arguments: Containerd.usual) func aDatagramWakesAndIsAnswered(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.withSleepyPod("datagrams", ["ports-map": "dns=5353/udp"]) { pod in
                let dns = try await pod.start("dns", image: "python", command: ["python3", "-c", Self.server])
                try await dns.awaitShimLog("watching UDP ports [5353]")
                let clients = [(pod.ip4, false), (pod.ip6, false), (pod.ip4, true), (pod.ip6, true)]
                for (number, (address, fromOutside)) in clients.enumerated() {
                    // On a slow machine it may have slept between two questions.
                    let wakes = try await dns.wakes()
                    try await dns.awaitSleep(wakes + 1)
                    #expect(try await dns.processes() == [])
                    let answer = try await Self.ask("asleep", node, address, fromOutside: fromOutside)
                    let source = try await Self.source(node, to: address, fromOutside)
                    #expect(answer == "\(2 * number + 1) \(source) asleep")
                    try await dns.expectWakes(wakes + 1)
                    let again = try await Self.ask("awake", node, address, fromOutside: fromOutside)
                    #expect(again == "\(2 * number + 2) \(source) awake")
                }
            }
        }

        @Test func aDatagramInFragmentsWakesAndIsAnswered() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("large-datagrams", ["ports-map": "dns=5353/udp"]) { pod in
                let dns = try await pod.start("dns", image: "python", command: ["python3", "-c", Self.server])
                try await dns.awaitShimLog("watching UDP ports [5353]")
                let text = String(repeating: "0123456789", count: 400)
                for (number, address) in [pod.ip4, pod.ip6].enumerated() {
                    let wakes = try await dns.wakes()
                    try await dns.awaitSleep(wakes + 1)
                    let answer = try await Self.ask(text, node, address, fromOutside: true)
                    #expect(answer == "\(number + 1) \(try await Self.source(node, to: address, true)) \(text)")
                }
            }
        }

        /// The address that the client's datagrams leave with.
        private static func source(
            _ node: TestNode, to address: String, _ fromOutside: Bool
        ) async throws -> String {
            let words = try await shell("ip route get \(address)", node, fromOutside).split(separator: " ")
            let place = try #require(words.firstIndex(of: "src"))
            return String(words[place + 1])
        }

        /// It is spoken to more often than it would have to be left alone in order to sleep.
        @Test func datagramsKeepItAwake() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("busy", after: "3s", ["ports-map": "dns=5353/udp"]) { pod in
                var (last, longest) = (ContinuousClock.now, Duration.zero)
                let dns = try await pod.start("dns", image: "python", command: ["python3", "-c", Self.server])
                try await dns.awaitShimLog("watching UDP ports [5353]")
                let begin = ContinuousClock.now
                var count = 0
                while ContinuousClock.now - begin < .seconds(9) {
                    count += 1
                    let asked = ContinuousClock.now
                    #expect(try await Self.ask("\(count)", node, pod.ip4).hasPrefix("\(count) "))
                    longest = max(longest, ContinuousClock.now - last)
                    last = asked
                }
                // On a slow machine one question may take as long as that.
                let sleeps = try await dns.sleeps()
                #expect(sleeps == 0 || longest >= .seconds(3))
                try await dns.awaitSleep(sleeps + 1)
            }
        }
    }
}
