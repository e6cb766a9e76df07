import Commands
import Foundation
import TestNode
import Testing

extension SleepingPods {
    /// A database that shares memory by System V's calls between its processes, and waits by epoll on a signalfd.
    /// The client is psql, beyond the node.
    @Suite struct PostgresTests {
        @Test(arguments: Containerd.usual) func itsSessionsSurviveItsSleep(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.importImage("postgres")
            try await node.withSleepyPod("postgres", after: "1s") { pod in
                let server = try await pod.start("postgres", image: "postgres")
                try await server.awaitShimLog("watching ports [5432]")
                try await server.awaitSleep()
                #expect(try await server.processes() == [])

                // New connections wake it, over both families.
                let made = try await server.psql(
                    "CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n; SELECT sum(n) FROM numbers")
                #expect(made == "500500")
                try await server.awaitNextSleep()
                #expect(try await server.psql("SELECT count(*) FROM numbers", at: pod.ip6) == "1000")

                // A transaction stays open over a sleep, and so does a session that listens.
                async let session = server.psql(
                    """
                    LISTEN news;
                    BEGIN;
                    DELETE FROM numbers WHERE n > 900;
                    \\! touch /tmp/deleted; until [ -e /tmp/commit ]; do sleep 0.02; done
                    SELECT count(*) FROM numbers;
                    COMMIT;
                    \\! touch /tmp/committed; until [ -e /tmp/hear ]; do sleep 0.02; done
                    SELECT 'heard';
                    """)
                try await server.awaitFile("deleted")
                try await server.awaitNextSleep()
                #expect(try await server.psql("SELECT count(*) FROM numbers") == "1000")
                try await server.awaitNextSleep()
                try await server.makeFile("commit")
                try await server.awaitFile("committed")
                try await server.awaitNextSleep()
                #expect(try await server.psql("NOTIFY news, 'good ones'; SELECT count(*) FROM numbers") == "900")
                try await server.awaitNextSleep()
                try await server.makeFile("hear")
                let heard = try await session.split(separator: "\n")
                #expect(heard.prefix(2) == ["900", "heard"])
                #expect(heard.last?.hasPrefix("Asynchronous notification \"news\" with payload \"good ones\"") == true)
            }
        }
    }
}

extension Container {
    /// What psql prints for these lines. It is the image's own, in the network of a client beyond the node.
    fileprivate func psql(_ lines: String, at address: String? = nil) async throws -> String {
        // -f rather than -c: one statement after the other, and what psql itself does between them.
        let psql = "/usr/lib/postgresql/17/bin/psql -h \(address ?? pod.ip4) -U postgres -AtXq -v ON_ERROR_STOP=1 -f -"
        return try await pod.node.shell(
            "ip netns exec client chroot \(files) \(psql) <<'END'\n\(lines)\nEND\n", deadline: .seconds(120)
        ).trimmed
    }

    /// Waits until it has slept once more than it has woken.
    fileprivate func awaitNextSleep() async throws { try await awaitSleep(wakes() + 1) }

    fileprivate func makeFile(_ name: String) async throws {
        try await pod.node.run("touch", "\(files)/tmp/\(name)")
    }

    fileprivate func awaitFile(_ name: String) async throws {
        try await pod.node.shell("until [ -e \(files)/tmp/\(name) ]; do sleep 0.02; done")
    }
}
