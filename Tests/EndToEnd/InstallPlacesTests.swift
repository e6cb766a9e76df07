import Commands
import Foundation
import TestNode
import Testing

extension AlteredNodes {
    /// `zeropod install` on hosts that have things elsewhere, judged by containerd's own parser.
    @Suite struct InstallPlacesTests {
        private let zeropod = "/opt/zeropod/bin/zeropod"
        private let shim = "/opt/placed/bin/containerd-shim-zeropod-v2"

        /// Each with what else has to be in what containerd makes of it.
        struct Case: Sendable, CustomStringConvertible {
            let description: String
            let containerds: [Containerd]
            let text: String
            let others: [String]
        }

        static let cases = [
            Case(
                description: "version 1", containerds: [.previous],
                text: "[plugins.cri]\n  sandbox_image = \"zeropod.test/pause:1\"\n", others: ["zeropod.test/pause:1"]),
            Case(
                description: "version 2 read by containerd 2", containerds: [.current],
                text: """
                    version = 2
                    [plugins."io.containerd.grpc.v1.cri"]
                      sandbox_image = "zeropod.test/pause:1"

                    """,
                others: ["zeropod.test/pause:1"]),
            Case(
                description: "another root, state and socket", containerds: Containerd.allCases,
                text:
                    "version = 2\nroot = \"/data/containerd\"\nstate = \"/data/run\"\n[grpc]\n  address = \"/data/c.sock\"\n",
                others: ["/data/containerd", "/data/run", "/data/c.sock"]),
            Case(
                description: "imports of which none speaks of CRI", containerds: Containerd.allCases,
                text: "version = 2\nimports = [\"/tmp/placed/more/*.toml\"]\n", others: ["/from/a/drop-in"]),
        ]

        @Test(arguments: cases) func runtimeIsRegistered(_ place: Case) async throws {
            for containerd in place.containerds {
                let node = try await node(containerd)
                let file = "/tmp/placed/config.toml"
                try await node.shell(
                    """
                    rm -rf /tmp/placed && mkdir -p /tmp/placed/more
                    printf 'version = 2\\n[plugins."io.containerd.grpc.v1.tracing"]\\n' >/tmp/placed/more/a.toml
                    printf 'version = 2\\n[ttrpc]\\n  address = "/from/a/drop-in"\\n' >/tmp/placed/more/b.toml
                    """)
                try await node.run("sh", "-c", "cat > \(file)", input: Data(place.text.utf8))
                let run = "--prefix /opt/placed --from /opt/zeropod --no-restart --containerd-config \(file)"
                try await node.shell("\(zeropod) install \(run)")
                let dump = try await node.shell("containerd --config \(file) config dump").text
                #expect(dump.contains(shim), "\(containerd)")
                for other in place.others { #expect(dump.contains(other), "\(other)") }
                try await node.shell("\(zeropod) uninstall \(run)")
                #expect(try await node.shell("cat \(file)").text == place.text)
                try await node.shell("rm -rf /tmp/placed")
            }
        }

        /// What the NVIDIA toolkit and some distributions put down: before containerd 2 it hides the CRI plugin's settings in
        /// the configuration itself.
        @Test(arguments: Containerd.allCases) func dropInsOfTheCRIPluginAreNoObstacle(_ containerd: Containerd)
            async throws
        {
            let node = try await node(containerd)
            let file = "/tmp/placed/config.toml"
            let dropIn = """
                version = 2
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                  runtime_type = "io.containerd.runc.v2"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
                  runtime_type = "io.containerd.runc.v2"

                """
            try await node.shell(
                """
                rm -rf /tmp/placed && mkdir -p /tmp/placed/conf.d
                printf 'version = 2\\nimports = ["/tmp/placed/conf.d/*.toml"]\\n' >\(file)
                printf 'version = 2\\n[debug]\\n  level = "warn"\\n' >/tmp/placed/conf.d/10-log.toml
                """)
            try await node.run("sh", "-c", "cat > /tmp/placed/conf.d/99-nvidia.toml", input: Data(dropIn.utf8))
            let files = "cd /tmp/placed && find . -type f | sort && find . -type f | sort | xargs cat"
            let before = try await node.shell(files).text
            let run = "--prefix /opt/placed --from /opt/zeropod --no-restart --containerd-config \(file)"
            let said = try await node.shell("\(zeropod) install \(run)").text
            let place = containerd == .previous ? "/tmp/placed/conf.d/99-nvidia.toml" : file
            #expect(said.contains("registered the runtime 'zeropod' in \(place)\n"))
            let dump = try await node.shell("containerd --config \(file) config dump").text
            for text in [shim, "containerd.runtimes.nvidia]", "containerd.runtimes.runc]", "warn"] {
                #expect(dump.contains(text), "\(text)")
            }
            let installed = try await node.shell(files).text
            try await node.shell("\(zeropod) install \(run)")
            #expect(try await node.shell(files).text == installed, "a second time changes nothing")
            try await node.shell("\(zeropod) uninstall \(run)")
            #expect(try await node.shell(files).text == before)
            try await node.shell("rm -rf /tmp/placed")
        }

        /// k3s and rke2 keep containerd's configuration in a template, and write it anew at each start. A few lines of
        /// shell stand for that start.
        @Test(arguments: ["k3s", "rke2"], Containerd.allCases) func templatesAreUsed(
            _ kind: String, _ containerd: Containerd
        ) async throws {
            let node = try await node(containerd)
            let directory = "/var/lib/rancher/\(kind)/agent/etc/containerd"
            let (version, template) = containerd == .current ? (3, "config-v3.toml.tmpl") : (2, "config.toml.tmpl")
            let programs = "/var/lib/rancher/\(kind)/\(kind == "k3s" ? "data/current/bin" : "bin")"
            try await node.shell(
                """
                set -e
                rm -rf /opt/placed && mkdir -p \(directory) \(programs) /run/k3s/containerd
                ln -sf /usr/bin/containerd /usr/bin/ctr \(programs)/
                ln -sf /run/containerd/containerd.sock /run/k3s/containerd/containerd.sock
                cat >/tmp/start <<'START'
                #!/bin/sh
                cd \(directory)
                base='version = \(version)
                root = "/var/lib/rancher/\(kind)/agent/containerd"'
                if [ -e \(template) ]; then
                    while IFS= read -r line; do
                        case $line in
                        '{{ template "base" . }}') echo "$base" ;;
                        *) printf '%s\\n' "$line" ;;
                        esac
                    done <\(template) >config.toml
                else
                    echo "$base" >config.toml
                fi
                START
                chmod +x /tmp/start && /tmp/start && cp \(directory)/config.toml /tmp/before
                """)
            do {
                let run = "--from /opt/zeropod --restart-with /tmp/start"
                let said = try await node.shell("\(zeropod) install --prefix /opt/placed \(run)").text
                #expect(
                    said.contains("registered the runtime 'zeropod' in \(directory)/\(template)"), "found out by itself"
                )
                let dump = try await node.shell("containerd --config \(directory)/config.toml config dump").text
                #expect(dump.contains(shim))
                #expect(dump.contains("/var/lib/rancher/\(kind)/agent/containerd"), "what the base has is there")
                #expect(dump.contains("containerd.runtimes.runc]"))
                let again = try await node.shell("\(zeropod) install --prefix /opt/placed \(run)").text
                #expect(again == "the runtime 'zeropod' is registered in \(directory)/\(template)\n")

                try await node.shell("\(zeropod) uninstall \(run) && cmp \(directory)/config.toml /tmp/before")
                #expect(try await node.shell("ls \(directory)").text == "config.toml\n")
                #expect(try await !node.shell("ls /opt").text.contains("placed"))

                // A template that is there already is kept, with all that is in it.
                let own = "# ours\n{{ template \"base\" . }}\n[debug]\n  level = \"warn\"\n"
                try await node.run("sh", "-c", "cat > \(directory)/\(template)", input: Data(own.utf8))
                try await node.shell("\(zeropod) install --containerd \(kind) --prefix /opt/placed \(run)")
                let text = try await node.shell("cat \(directory)/\(template)").text
                #expect(text.hasPrefix(own) && text.contains(shim))
                try await node.shell("\(zeropod) uninstall --containerd \(kind) \(run)")
                #expect(try await node.shell("cat \(directory)/\(template)").text == own)
            } catch {
                try await node.shell("rm -rf /var/lib/rancher /run/k3s /opt/placed")
                throw error
            }
            try await node.shell("rm -rf /var/lib/rancher /run/k3s /opt/placed")
        }

        /// What cannot be done is said in one line that names it, and nothing is half done.
        @Test func whatCannotBeWrittenIsNamed() async throws {
            let node = try await node(.current)
            let file = "/tmp/placed/config.toml"
            try await node.shell("mkdir -p /tmp/placed && printf 'version = 3\\n' >\(file)")
            let arguments = "--from /opt/zeropod --no-restart --containerd-config \(file)"
            try await node.altered(
                by: "mkdir /opt/shut && mount -t tmpfs -o ro none /opt/shut",
                back: "umount /opt/shut && rmdir /opt/shut"
            ) {
                let refusal = try await node.shell("\(zeropod) install --prefix /opt/shut/z \(arguments)", expecting: 1)
                #expect(
                    refusal.errorText == "zeropod: /opt/shut/z is on a file system that is read-only, so nothing was"
                        + " changed: name another place with --prefix\n")
            }
            try await node.altered(
                by: "mkdir /opt/full && mount -t tmpfs -o size=64k none /opt/full",
                back: "umount /opt/full && rmdir /opt/full"
            ) {
                let refusal = try await node.shell("\(zeropod) install --prefix /opt/full/z \(arguments)", expecting: 1)
                #expect(refusal.errorText.contains("/opt/full/z/bin/"))
                #expect(refusal.errorText.contains("No space left on device"))
                #expect(try await node.shell("find /opt/full -type f").text == "", "no half of a file")
            }
            #expect(try await node.shell("cd /tmp/placed && ls && cat *").text == "config.toml\nversion = 3\n")

            let nowhere = try await node.shell("\(zeropod) install --root /tmp/placed", expecting: 1)
            #expect(nowhere.errorText.contains("there is no containerd on this host"))
            let unknown = try await node.shell("\(zeropod) install --containerd docker", expecting: 2)
            #expect(unknown.errorText.contains("no kind 'docker': it is one of containerd, k3s, rke2\n"))
            let missing = try await node.shell("\(zeropod) check --root /nowhere", expecting: 2)
            #expect(missing.errorText.hasPrefix("zeropod: --root: no directory /nowhere\n"))
            try await node.shell("rm -rf /tmp/placed")
        }

        /// Shims live on while containerd is away; what they need must not be taken from them.
        @Test func uninstallAsksTheShimsToo() async throws {
            let node = try await node(.current)
            try await node.withSleepyPod("orphaned") { pod in
                let server = try await pod.start("server", image: "python")
                try await node.stopContainerd()
                do {
                    let refusal = try await node.shell("\(zeropod) uninstall --no-restart", expecting: 1)
                    #expect(refusal.errorText.contains("these containers use the runtime"))
                    #expect(refusal.errorText.contains("k8s.io/\(server.id)  default/\(pod.config.name)/server"))
                } catch {
                    try await node.startContainerd()
                    throw error
                }
                try await node.startContainerd()
            }
        }
    }
}
