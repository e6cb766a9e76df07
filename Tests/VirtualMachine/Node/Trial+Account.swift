import Commands
import TestNode

/// What needs cgroup v2 with all its controllers, which the machine of the other tests may not have.
extension Trial {
    private static let criu = "/opt/zeropod/bin/criu"

    /// The criu of a dump stands in a group of its own beside the container's, with the same limit of processor time. There it
    /// is held, so that nothing depends on who is faster.
    func dumpIsOnItsAccount(_ server: Container) async throws {
        // containerd may know the one of before the last sleep.
        guard let pid = try await server.processes().first else { throw Surprise("it has no process") }
        let group = try await node.shell("sed -n s,^0::,/sys/fs/cgroup,p /proc/\(pid)/cgroup").trimmed
        try await node.shell(
            """
            mv \(Self.criu) \(Self.criu).real
            cat >\(Self.criu) <<'END'
            #!/bin/sh
            while [ "$1" = swrk ] && [ -e /run/hold ]; do sleep 0.1; done
            exec \(Self.criu).real "$@"
            END
            chmod +x \(Self.criu); touch /run/hold
            """)
        // Asked again while it is refused: what has just answered may be busy with it yet.
        let look = """
            pgrep -x zeropod >/dev/null || setsid zeropod sleep \(server.id) </dev/null >/dev/null 2>&1 &
            cd \(group)/.. && grep -q . zeropod-dump-*/cgroup.procs && cat {\(group),zeropod-dump-*}/cpu.max
            """
        var limits: [String] = []
        do {
            try await eventually("criu stands beside \(group)", within: patience, every: .seconds(1)) {
                limits = try await node.shell(look, expecting: nil).lines.map(String.init)
                return !limits.isEmpty
            }
        } catch {
            try await node.run("rm", "/run/hold")
            throw error
        }
        try await node.run("rm", "/run/hold")
        try await fallsAsleep(server)
        // With the criu that has made the images.
        try await node.run("zeropod", "wake", server.id)
        try await node.shell("mv \(Self.criu).real \(Self.criu)")
        guard limits == [Way.processorLimit, Way.processorLimit] else { throw Surprise("\(limits)") }
        let left = try await node.shell("ls -d \(group)/../zeropod-dump-*", expecting: nil)
        guard left.lines.isEmpty else { throw Surprise("it is there still: \(left.text)") }
    }
}
