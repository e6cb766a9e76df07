import Commands
import TestNode

/// A stand-in before criu that makes checkpoints and restores wait for the test, so that nothing depends on who is
/// faster.
extension TestNode {
    func withStandInForCRIU(_ body: () async throws -> Void) async throws {
        // `criu swrk` waits before it hears what is asked of it, and may have forked by then.
        let standIn = """
            mv /usr/sbin/criu /usr/sbin/criu.real
            cat >/usr/sbin/criu <<'END'
            #!/bin/sh
            if [ $1 = swrk ] && [ -e /run/fork ]; then sleep 1234 & fi
            while [ $1 = swrk ] && [ -e /run/hold ]; do sleep 0.01; done
            exec criu.real "$@"
            END
            chmod +x /usr/sbin/criu
            """
        try await altered(by: standIn, back: "rm -f /run/hold /run/fork; mv /usr/sbin/criu.real /usr/sbin/criu", body)
    }

    /// - Parameter forking: with a child that waits for ever, as those do whose criu is killed in the middle of a restore.
    func holdCRIU(forking: Bool = false) async throws {
        try await shell("touch /run/hold\(forking ? " /run/fork" : "")")
    }

    func letCRIUGo() async throws { try await run("rm", "-f", "/run/hold", "/run/fork") }

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
