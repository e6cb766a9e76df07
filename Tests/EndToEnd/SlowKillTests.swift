import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// A `runc kill` and the processes that it ends, one of which is slower than the other, as on a loaded node.
    @Suite struct SlowKillTests {
        /// containerd closes the connection as soon as the last container is deleted, and nobody would hear that the
        /// sandbox has been killed.
        @Test(arguments: Containerd.usual) func aPodStopsAllTheSame(_ containerd: Containerd) async throws {
            try await deletePod(
                on: containerd,
                runc: """
                    runc "$@"; status=$?
                    case " $* " in *" kill "*) sleep 1 ;; esac
                    exit $status
                    """)
        }

        /// The process ends while runc is on its way, and runc says that nothing runs.
        @Test func whatHasEndedMeanwhileIsNoFailure() async throws {
            try await deletePod(
                on: .current,
                runc: """
                    case " $* " in *" --all "*) ;; *" kill "*) while runc "$@"; do :; done ;; esac
                    exec runc "$@"
                    """)
        }

        /// With a script in runc's place.
        private func deletePod(on containerd: Containerd, runc script: String) async throws {
            let node = try await node(containerd)
            let hierarchy = "[ -d /sys/fs/cgroup/pids ] && echo /sys/fs/cgroup/pids || echo /sys/fs/cgroup"
            let shims = "\(try await node.shell(hierarchy).trimmed)/shims"
            let altering = """
                mv /usr/local/bin/recording-runc /usr/local/bin/runc.before
                cat >/usr/local/bin/recording-runc <<'END'
                #!/bin/sh
                \(script)
                END
                chmod +x /usr/local/bin/recording-runc; mkdir \(shims)
                """
            let back = "mv /usr/local/bin/runc.before /usr/local/bin/recording-runc"
            try await node.altered(by: altering, back: back) {
                let pod = try await node.runPod("slow", runtime: .options)
                _ = try await pod.start("server", image: "python")
                try await pod.delete()
            }
            try await eventually("the shim has ended") {
                try await node.shell("rmdir \(shims)", expecting: nil).status == 0
            }
        }
    }
}
