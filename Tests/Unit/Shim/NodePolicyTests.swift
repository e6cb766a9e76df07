import Linux
import Testing

@testable import Shim

@Suite struct NodePolicyTests {
    @Test func everyKeyIsRead() throws {
        let policy = try NodePolicy(
            parsing: """
                # what tenants may
                groups = off
                shortest-idle = 5s   # as much as a wake takes
                shortest-first-idle = 2m
                longest-start = 1h
                sleeps-per-minute=6

                wakes-at-once = 3
                pod-images = 1073741824
                node-images = 8589934592
                failed-images = 24h
                encrypt-images = on
                probe-sources = 169.254.7.127, fd16::7
                """)
        #expect(!policy.groups && policy.shortestIdle == 5_000_000_000 && policy.sleepsPerMinute == 6)
        #expect(policy.shortestFirstIdle == 120_000_000_000)
        #expect(policy.longestStart == 3_600_000_000_000)
        #expect(policy.wakesAtOnce == 3 && policy.podImages == 1 << 30 && policy.nodeImages == 8 << 30)
        #expect(policy.failedImages == 86_400_000_000_000 && policy.encryptImages)
        let sources = try ["169.254.7.127", "fd16::7"].map { try #require(SocketAddress($0, port: 0)).address }
        #expect(policy.probeSources == Set(sources))
        #expect(try NodePolicy(parsing: "") == NodePolicy())
        #expect(try NodePolicy.read("/nowhere/node.conf") == NodePolicy())
    }

    /// Without its limits nothing is created.
    @Test(arguments: [
        "groups = maybe", "groups", "= on", "sleeps-per-minute = 0", "wakes-at-once = -1", "wakes-at-once = many",
        "shortest-idle = 5", "longest-start = never", "pod-images = 1G", "colour = blue", "groups = off = on",
        "encrypt-images = yes",
        "probe-sources = 10.0.0.0/8", "probe-sources = 10.0.0.7,", "probe-sources = kubelet",
    ]) func aMistakeIsNamed(_ line: String) {
        #expect {
            try NodePolicy(parsing: "groups = on\n\(line)\n")
        } throws: { error in
            "\(error)".contains("node.conf, line 2: \"\(line)\" is not one of groups = on|off")
        }
    }
}
