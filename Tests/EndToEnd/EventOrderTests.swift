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
    }
}
