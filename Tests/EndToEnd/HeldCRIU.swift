import Commands
import TestNode

/// What stands before the node's criu, which is `criu.real` then, so that nothing depends on who is faster.
struct StandInForCRIU {
    /// Of a shell script: what it does before it becomes criu, or instead of that.
    let lines: String

    /// Makes checkpoints and restores wait for the test. `criu swrk` waits before it hears what is asked of it, and may
    /// have forked by then.
    static let holding = StandInForCRIU(
        lines: """
            if [ $1 = swrk ] && [ -e /run/fork ]; then sleep 1234 & fi
            while [ $1 = swrk ] && [ -e /run/hold ]; do sleep 0.01; done
            """)

    /// Refuses checkpoints once it is let go, and waits for nothing else: a criu_resp to DUMP without success (rpc.proto).
    static let refusing = StandInForCRIU(
        lines: """
            case "$*" in
            *network-lock*)
                while [ -e /run/hold ]; do sleep 0.01; done
                dd bs=64k count=1 <&3 >/dev/null 2>&1
                printf '\\010\\001\\020\\000' >&3
                exit ;;
            esac
            """)
}

extension TestNode {
    func withStandInForCRIU(_ standIn: StandInForCRIU = .holding, _ body: () async throws -> Void) async throws {
        let script = """
            mv /usr/sbin/criu /usr/sbin/criu.real
            cat >/usr/sbin/criu <<'END'
            #!/bin/sh
            \(standIn.lines)
            exec criu.real "$@"
            END
            chmod +x /usr/sbin/criu
            """
        try await altered(by: script, back: "rm -f /run/hold /run/fork; mv /usr/sbin/criu.real /usr/sbin/criu", body)
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
