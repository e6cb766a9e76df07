import CRI
import Commands
import TestNode
import Testing

extension AlteredNodes {
    /// Earlier versions registered the shim under a type of its own. `zeropod install` of this one changes that, and
    /// containerd is restarted: pods that are there go on, asleep or awake, and may have more containers.
    @Suite struct FormerRegistrationTests {
        private let file = "/etc/containerd/config.toml"
        private let install =
            "/opt/zeropod/bin/zeropod install --prefix /opt/installed --from /opt/zeropod --no-restart"

        @Test(arguments: Containerd.allCases) func podsOutliveItsChange(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            try await node.shell(
                """
                set -e
                cp \(file) /tmp/config.kept
                awk '/^\\[/ { ours = /runtimes.zeropod/ } !ours' /tmp/config.kept >\(file)
                \(install)
                sed -i '/>>> zeropod/,$ s/^runtime_type = .*/runtime_type = "io.containerd.zeropod.v2"/' \(file)
                """)
            func restart() async throws {
                try await node.stopContainerd()
                try await node.startContainerd()
            }
            func putBack() async throws {
                try await node.shell("cp /tmp/config.kept \(file); rm -rf \(file).before-zeropod /opt/installed")
                try await restart()
            }
            do {
                try await restart()
                try await node.withSleepyPod("former") { pod in try await change(pod, restart) }
                try await node.withSleepyPod("present") { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitSleep()
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                }
            } catch {
                try await putBack()
                throw error
            }
            try await putBack()
        }

        private func change(_ pod: Pod, _ restart: () async throws -> Void) async throws {
            let node = pod.node
            let runtimes = "ctr -n k8s.io containers info \(pod.id) | grep -o 'io.containerd.[a-z]*.v2\"'"
            #expect(try await node.shell(runtimes).text.contains("io.containerd.zeropod.v2"))
            let server = try await pod.start("server", image: "python")
            let awake = try await pod.start("awake", image: "busybox", command: ["sleep", "1000"])
            let shim = try await pod.shimProcess()
            let pid = try await awake.pid()
            try await server.awaitSleep()
            #expect(try await node.shell(install).text.contains("registered the runtime 'zeropod'"))
            try await restart()
            #expect(try await pod.shimProcess() == shim)
            #expect(try await awake.pid() == pid)
            #expect(try await awake.exec("echo", "here").stdout == "here\n")
            try await server.expectWakes(0)
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
            let more = try await pod.start("more", image: "busybox", command: ["sleep", "1000"])
            #expect(try await more.exec("echo", "more").stdout == "more\n")
            try await server.awaitSleep(2)
            #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 2)
        }
    }
}
