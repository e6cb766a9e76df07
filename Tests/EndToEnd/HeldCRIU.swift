import Commands
import TestNode

/// A stand-in before criu that makes checkpoints and restores wait for the test, so that nothing depends on who is
/// faster.
extension TestNode {
    func withStandInForCRIU(_ body: () async throws -> Void) async throws {
        // `criu swrk` waits before it hears what is asked of it.
        let standIn = """
            mv /usr/sbin/criu /usr/sbin/criu.real
            printf '#!/bin/sh\\nwhile [ $1 = swrk ] && [ -e /run/hold ]; do sleep 0.01; done; exec criu.real "$@"\\n' \\
                >/usr/sbin/criu
            chmod +x /usr/sbin/criu
            """
        try await altered(by: standIn, back: "rm -f /run/hold; mv /usr/sbin/criu.real /usr/sbin/criu", body)
    }

    func holdCRIU() async throws { try await run("touch", "/run/hold") }

    func letCRIUGo() async throws { try await run("rm", "-f", "/run/hold") }

    /// Lets it go also if `body` fails: a pod could not be removed otherwise.
    func lettingCRIUGo(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            try await letCRIUGo()
            throw error
        }
        try await letCRIUGo()
    }
}
