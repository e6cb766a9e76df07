import CRI
import Commands
import Foundation
import TestNode
import Testing

extension AlteredNodes {
    /// The criu of a dump, which makes calls that no dump needs (Tests/Node/call-in.c).
    @Suite struct DumpFilterTests {
        /// Those that it must be able to make still.
        private static let allowed: Set = ["getpid", "socket-unix"]

        private func withTracedDumps(_ mode: String, _ body: (TestNode, Pod, Container) async throws -> Void)
            async throws
        {
            let node = try await node(.current)
            let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Node/call-in.c")
                .path()
            let program = "/tmp/call-in"
            try await Command.run(["cc", "-static", "-O2", "-Wall", "-Werror", "-o", node.root + program, source])
            let tracing = StandInForCRIU(
                lines: """
                    case "$*" in *network-lock*) exec \(program) /run/calls \(mode) criu.real "$@" ;; esac
                    """)
            try await node.withStandInForCRIU(tracing) {
                try await node.withSleepyPod("filtered") { pod in
                    try await body(node, pod, try await pod.start("server", image: "python"))
                }
            }
            try await node.shell("rm /run/calls \(program)")
        }

        @Test func whatADumpDoesNotNeedIsDenied() async throws {
            try await withTracedDumps("once") { node, pod, server in
                try await server.awaitSleep()
                let results = try await node.shell("cat /run/calls").lines.map { $0.split(separator: " ") }
                #expect(results.count > 10)
                for result in results {
                    let isAllowed = Self.allowed.contains(String(result[0]))
                    let number = try #require(Int(result[1]))
                    #expect(isAllowed ? number > 0 : number == -Int(EPERM), "\(result[0])")
                }
                // The dump has gone on, and the processes that it has made images of have no such filter.
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                #expect(try await server.exec("grep", "^Seccomp:", "/proc/1/status").stdout == "Seccomp:\t0\n")
            }
        }

        @Test func aDeniedCallFailsTheDumpAlone() async throws {
            try await withTracedDumps("instead") { node, pod, server in
                try await server.awaitFreeze()
                #expect(try await server.sleepReport().reasons.joined().contains("Operation not permitted"))
                #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            }
        }
    }
}
