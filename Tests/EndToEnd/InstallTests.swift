import CRI
import Commands
import Foundation
import TestNode
import Testing

extension AlteredNodes {
    /// `zeropod install`, `check` and `uninstall`, judged by containerd's own parser and by a containerd that is restarted.
    @Suite struct InstallTests {
        private let place = "--prefix /opt/installed --from /opt/zeropod"
        private let zeropod = "/opt/zeropod/bin/zeropod"

        /// A containerd that was never configured, or by somebody with habits of their own.
        static let configurations = [
            "", "version = 2\n",
            "# ours\nversion = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"zeropod.test/pause:1\"\n",
            """
            version = 2
            imports = ["more/*.toml"]
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                SystemdCgroup = true

            """,
        ]

        @Test(arguments: Containerd.allCases, configurations) func configurationsComeBackAsTheyWere(
            _ containerd: Containerd, _ text: String
        ) async throws {
            let node = try await node(containerd)
            let file = "/tmp/config-under-test/config.toml"
            let run = "\(place) --no-restart --containerd-config \(file)"
            try await node.shell("mkdir -p /tmp/config-under-test && rm -f \(file)*")
            if !text.isEmpty { try await node.run("sh", "-c", "cat > \(file)", input: Data(text.utf8)) }
            try await node.shell("\(zeropod) install \(run)")
            let installed = try await node.shell("cat \(file)").text
            #expect(installed.hasPrefix(text))
            #expect(installed.contains("runtime_path = \"/opt/installed/bin/containerd-shim-zeropod-v2\""))
            #expect(installed.contains("SystemdCgroup = true") == text.contains("SystemdCgroup = true"))
            let dump = try await node.shell("containerd --config \(file) config dump").text
            #expect(dump.contains("/opt/installed/bin/containerd-shim-zeropod-v2"))
            #expect(dump.contains("containerd.runtimes.runc]"), "the runtime that was there before stays")

            try await node.shell("\(zeropod) install \(run)")
            #expect(try await node.shell("cat \(file)").text == installed, "a second time changes nothing")

            try await node.shell("\(zeropod) uninstall \(run)")
            let left = try await node.shell("cd /tmp/config-under-test && cat * 2>/dev/null; true").text
            #expect(left == text)
            #expect(try await node.shell("ls /opt").text.contains("installed") == false)
        }

        @Test(arguments: Containerd.allCases) func mistakesLeaveTheHostAsItWas(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let file = "/tmp/config-under-test/config.toml"
            let mistakes = [
                ("version = 2\n[plugins.x", "cannot read \(file)", ""),
                ("version = 7\n", "\(file)", ""),
                ("version = 2\n", "no systemd", ""),
                (
                    "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.zeropod]\n",
                    "not by 'zeropod install'", "--no-restart"
                ),
                ("version = 2\n", "there is no program 'nothing'", "--restart-with nothing"),
            ]
            for (text, complaint, more) in mistakes {
                try await node.shell("rm -rf /tmp/config-under-test && mkdir -p /tmp/config-under-test")
                try await node.run("sh", "-c", "cat > \(file)", input: Data(text.utf8))
                let result = try await node.shell(
                    "\(zeropod) install \(place) --containerd-config \(file) \(more)", expecting: 1)
                #expect(result.errorText.contains(complaint), "\(text)")
                #expect(try await node.shell("cat /tmp/config-under-test/*").text == text)
                #expect(try await node.shell("ls /opt").text.contains("installed") == false)
            }
            try await node.shell("rm -rf /tmp/config-under-test")
        }

        /// From a containerd that does not know the runtime to one that runs a pod with it, and back.
        @Test(arguments: Containerd.allCases) func installedRuntimeRunsPods(_ containerd: Containerd) async throws {
            let node = try await node(containerd)
            let file = "/etc/containerd/config.toml"
            try await node.shell(
                """
                cp \(file) /tmp/config.kept
                awk '/^\\[/ { ours = /runtimes.zeropod/ } !ours' /tmp/config.kept > \(file)
                cp \(file) /tmp/config.bare
                """)
            func restart() async throws {
                try await node.stopContainerd()
                try await node.startContainerd()
            }
            do {
                try await restart()
                await #expect(throws: CallFailed.self) { try await node.runPod("unknown", runtime: .zeropod) }
                try await node.shell("\(zeropod) install \(place) --no-restart")
                try await restart()
                // The restart that is due has been done by now; this waits for the daemon.
                let second = try await node.shell("\(zeropod) install \(place) --restart-with true")
                #expect(second.text.contains("restarted containerd"))
                #expect(try await node.shell("\(zeropod) install \(place)").text.contains("is registered"))
                let check = try await node.shell("\(zeropod) check --prefix /opt/installed", expecting: nil)
                #expect(check.text.contains("has the runtime 'zeropod'"), "\(check.text)")
                #expect(!check.text.contains("MISSING"), "\(check.text)")

                try await node.withSleepyPod("installed") { pod in
                    let server = try await pod.start("server", image: "python")
                    try await server.awaitSleep()
                    let refusal = try await node.shell("\(zeropod) uninstall \(place) --no-restart", expecting: 1)
                    #expect(refusal.errorText.contains("k8s.io/\(server.id)"))
                    #expect(try await node.get(pod.ip4, port: 8080).json(ServerState.self).counter == 1)
                }
                // The prefix is found in containerd's configuration.
                try await node.shell("\(zeropod) uninstall --no-restart && cmp \(file) /tmp/config.bare")
                #expect(try await !node.shell("ls /opt").text.contains("installed"))
            } catch {
                try await node.shell("cp /tmp/config.kept \(file); rm -rf \(file).* /opt/installed")
                try await restart()
                throw error
            }
            try await node.shell("cp /tmp/config.kept \(file)")
            try await restart()
        }
    }
}
