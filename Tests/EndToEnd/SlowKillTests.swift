import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// A `runc kill` that is still running when the processes it ended are gone, as on a loaded node.
    @Suite struct SlowKillTests {
        private let hierarchy = "[ -d /sys/fs/cgroup/pids ] && echo /sys/fs/cgroup/pids || echo /sys/fs/cgroup"

        /// containerd closes the connection as soon as the last container is deleted, and nobody would hear that the
        /// sandbox has been killed.
        @Test(arguments: Containerd.allCases) func aPodStopsAllTheSame(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let shims = "\(try await node.shell(hierarchy).trimmed)/shims"
            let slow = """
                mv /usr/local/bin/recording-runc /usr/local/bin/runc.before
                printf '#!/bin/sh\\nrunc "$@"; status=$?\\ncase " $* " in *" kill "*) sleep 1 ;; esac; exit $status\\n' \\
                    >/usr/local/bin/recording-runc
                chmod +x /usr/local/bin/recording-runc; mkdir \(shims)
                """
            let back = "mv /usr/local/bin/runc.before /usr/local/bin/recording-runc"
            try await node.altered(by: slow, back: back) {
                let pod = try await node.runPod("slow", runtime: .options)
                _ = try await pod.start("server", image: "python")
                try await pod.delete()
            }
            try await eventually("the shim has ended") {
                try await node.shell("rmdir \(shims)", expecting: nil).status == 0
            }
        }

        /// The process ends while runc is on its way, and runc says that nothing runs.
        @Test func whatHasEndedMeanwhileIsNoFailure() async throws {
            let node = try await node(.current)
            let shims = "\(try await node.shell(hierarchy).trimmed)/shims"
            let ending = """
                mv /usr/local/bin/recording-runc /usr/local/bin/runc.before
                printf '#!/bin/sh\\ncase " $* " in *" --all "*) ;; *" kill "*) while runc "$@"; do :; done ;; esac; exec runc "$@"\\n' \\
                    >/usr/local/bin/recording-runc
                chmod +x /usr/local/bin/recording-runc; mkdir \(shims)
                """
            let back = "mv /usr/local/bin/runc.before /usr/local/bin/recording-runc"
            try await node.altered(by: ending, back: back) {
                let pod = try await node.runPod("ending", runtime: .options)
                _ = try await pod.start("server", image: "python")
                try await pod.delete()
            }
            try await eventually("the shim has ended") {
                try await node.shell("rmdir \(shims)", expecting: nil).status == 0
            }
        }
    }
}
