import Commands
import TestNode
import Testing

extension SleepingPods {
    /// What containerd is told, as everybody who listens to it hears it.
    @Suite struct EventOrderTests {
        /// A process can end before runc, which started it, has.
        @Test(arguments: Containerd.allCases) func aStartIsToldBeforeTheExit(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let rounds = 20
            let script = """
                ctr events >/tmp/events &
                listener=$!
                trap 'kill $listener' EXIT
                for i in $(seq \(rounds)); do
                    ctr -n k8s.io run --rm --runtime io.containerd.zeropod.v2 zeropod.test/busybox:1 brief$i true
                done
                until [[ $(grep -c '/tasks/delete .*brief' /tmp/events) == \(rounds) ]]; do sleep 0.05; done
                grep -o '/tasks/[a-z]* .*brief[0-9]*' /tmp/events
                """
            let events = try await node.shell(script, deadline: .seconds(60)).lines
            for round in 1...rounds {
                let own = events.filter { $0.contains("\"brief\(round)\"") || $0.hasSuffix("brief\(round)") }
                #expect(
                    own.compactMap { $0.split(separator: " ").first } == [
                        "/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete",
                    ])
            }
        }

        /// In the node's process namespace nobody but the shim ends what a container leaves behind.
        @Test(arguments: Containerd.allCases)
        func anExitIsToldWhenTheOthersHaveBeenEnded(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            // A runc that asks before it kills.
            let script = """
                mkfifo /run/may-kill
                cat >/usr/local/bin/runc-that-asks <<'SCRIPT'
                #!/bin/sh
                case " $* " in *" kill "*) touch /run/asks; read -r _ </run/may-kill ;; esac
                exec runc "$@"
                SCRIPT
                chmod +x /usr/local/bin/runc-that-asks
                printf 'BinaryName = "/usr/local/bin/runc-that-asks"\n' >/run/asks.toml
                ctr -n k8s.io run -d --runtime io.containerd.zeropod.v2 --runtime-config-path /run/asks.toml \
                    --with-ns pid:/proc/1/ns/pid zeropod.test/busybox:1 leaver sh -c 'sleep 76543 & sleep 76543'
                ctr -n k8s.io tasks ls | awk '$1 == "leaver" { print $2 }'
                """
            let pid = try await node.shell(script).trimmed
            func status() async throws -> String {
                try await node.shell("ctr -n k8s.io tasks ls | awk '$1 == \"leaver\" { print $3 }'").trimmed
            }
            try await node.run("kill", "-KILL", pid)
            try await eventually("the others are to be ended") {
                try await node.shell("test -e /run/asks", expecting: nil).status == 0
            }
            #expect(try await status() == "RUNNING")
            try await node.shell("echo yes >/run/may-kill")
            try await eventually("it has ended") { try await status() == "STOPPED" }
            try await eventually("so have they") {
                try await node.shell("pgrep -f 'sleep 7654[3]'", expecting: nil).status == 1
            }
            try await node.shell(
                """
                ctr -n k8s.io tasks delete leaver; ctr -n k8s.io containers delete leaver
                rm /run/may-kill /run/asks /run/asks.toml /usr/local/bin/runc-that-asks
                """)
        }
    }
}
